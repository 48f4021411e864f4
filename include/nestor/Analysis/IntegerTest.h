//===- IntegerTest.h - Whether constraints have an integer point *- C++ -*-===//
//
// A bounded search: it proves that there is none, finds one, or gives up after
// a fixed number of nodes. Never more than some milliseconds, the same answer
// on every machine. (Lattice reduction and lexicographic minima, which MLIR
// offers, are exact but can take minutes on twenty variables.)
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_ANALYSIS_INTEGERTEST_H
#define NESTOR_ANALYSIS_INTEGERTEST_H

#include <cstdint>
#include <vector>

namespace nestor::analysis {

enum class Points { None, Some, Perhaps };

/// Rows are the coefficients of `numVariables` variables and a constant: each
/// row of `equal` is zero, each of `greater` at least zero.
Points findIntegerPoint(std::vector<std::vector<int64_t>> equal,
                        std::vector<std::vector<int64_t>> greater,
                        unsigned numVariables);

} // namespace nestor::analysis

#endif // NESTOR_ANALYSIS_INTEGERTEST_H
