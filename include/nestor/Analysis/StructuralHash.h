//===- StructuralHash.h - A kernel's identity -------------------*- C++ -*-===//
//
// Equal for kernels that differ in names and locations only; the same in every
// process and on every machine.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_STRUCTURALHASH_H
#define NESTOR_ANALYSIS_STRUCTURALHASH_H

#include "nestor/Dialect/Nest/Nest.h"

#include <string>

namespace nestor::analysis {

/// 32 hex digits.
std::string structuralHash(nest::FuncOp func);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_STRUCTURALHASH_H
