//===- Calibration.h - Rates measured on this machine -----------*- C++ -*-===//
//
// `nestor doctor --calibrate` measures a machine once and keeps its rates in
// the cache directory, one file a machine:
//
//   $XDG_CACHE_HOME/nestor/calibration-<hash of the key>.json
//   {"nestor": "calibration 1", "key": "...", "rates": {"fma_lanes": 15.9,
//   ...}}
//
// NESTOR_CALIBRATION=off leaves it aside, another value names the file.
//
// Assumes: nothing of the file: it may be cut short, edited, or of another
// machine.
// Leaves true: rates that were read are finite and in the range that machines
// have; whatever does not fit is ignored, with a note, and never an error.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_TARGET_CALIBRATION_H
#define NESTOR_TARGET_CALIBRATION_H

#include "nestor/Target/Target.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace nestor {

/// A rate as files and reports name it, and what a machine may have.
struct RateField {
  llvm::StringLiteral name;
  double Rates::*field;
  double least, most;
  llvm::StringLiteral unit;
};
llvm::ArrayRef<RateField> rateFields();

/// What tells this machine from others: features, caches, cores and the CPU's
/// signature (family, model and stepping, not its name).
std::string machineKey(const Target &host);

/// Where the rates of this machine are kept; empty without a cache directory.
std::string calibrationFile(const Target &host);

/// What there is to know of this machine.
struct Calibration {
  enum State {
    None,    ///< never measured
    Used,    ///< read
    Ignored, ///< a file that does not fit: `note` says why
    Off,     ///< left aside by NESTOR_CALIBRATION=off
  };
  State state = None;
  std::string file, note;
  Rates rates;
};
Calibration readCalibration(const Target &host);

/// Writes the file, whole or not at all; fails with Unreadable. Returns its
/// path.
llvm::Expected<std::string> writeCalibration(const Target &host,
                                             const Rates &rates);

/// Eight digits that differ when a rate does.
std::string fingerprint(const Rates &rates);

} // namespace nestor

#endif // NESTOR_TARGET_CALIBRATION_H
