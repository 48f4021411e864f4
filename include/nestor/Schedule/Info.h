//===- Info.h - What is known about each primitive --------------*- C++ -*-===//
//
// One record for each primitive, in its own .cpp:
//
//   NESTOR_PRIMITIVE(fuse) = {
//       .name = "fuse", .family = "loops", ...};
//
// and one line in lib/Schedule/Primitives/List.def. The reference page, its
// examples and the tests of those examples derive from it.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_SCHEDULE_INFO_H
#define NESTOR_SCHEDULE_INFO_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/StringRef.h"

namespace mlir {
class MLIRContext;
}

namespace nestor::sched {

struct PrimitiveInfo {
  llvm::StringLiteral name;   // "fuse"; its operation is transform.nest.fuse
  llvm::StringLiteral family; // "loops": a group of the table
  /// One sentence: what it does.
  llvm::StringLiteral does;
  /// One sentence: when it is legal. Empty: always.
  llvm::StringLiteral law;
  /// What it refuses, one line each. Empty: it never refuses.
  llvm::StringLiteral refuses;
  /// How it is written: "%f = fuse %i, %j, ...".
  llvm::StringLiteral syntax;
  /// More to know; markdown.
  llvm::StringLiteral notes = "";
  /// A module with one nest.func, small.
  llvm::StringLiteral before;
  /// The operations of the schedule, without their `transform.nest.`; %root is
  /// the kernel.
  llvm::StringLiteral schedule;
};

/// All of them, in the order of List.def.
llvm::ArrayRef<const PrimitiveInfo *> primitiveInfos();

/// The schedule of an example as a module that `Schedule::parse` reads.
std::string exampleSequence(const PrimitiveInfo &info);

/// Writes the reference page. The nests after each example come from running
/// it; returns false, with the reason in `stream`, when one fails.
bool writeReference(llvm::raw_ostream &stream, mlir::MLIRContext *context);

} // namespace nestor::sched

#define NESTOR_PRIMITIVE(NAME)                                                 \
  namespace nestor::sched {                                                    \
  extern const PrimitiveInfo NAME##Info;                                       \
  }                                                                            \
  const nestor::sched::PrimitiveInfo nestor::sched::NAME##Info

#endif // NESTOR_SCHEDULE_INFO_H
