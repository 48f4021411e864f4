//===- Calibrate.h - Measuring the machine ----------------------*- C++ -*-===//
//
// Measures the rates of Target.h on the machine at hand: probes of known work
// run in turns with a chain whose length in cycles is known, and the ratio
// counts, so that a clock that changes does no harm.
//
// Assumes: about one second, and 64 MB of memory.
// Leaves true: what could not be measured keeps its shipped value.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_EXEC_CALIBRATE_H
#define NESTOR_EXEC_CALIBRATE_H

#include "nestor/Target/Target.h"

namespace nestor {

/// The rates of `host`, which runs here.
Rates measureRates(const Target &host);

} // namespace nestor

#endif // NESTOR_EXEC_CALIBRATE_H
