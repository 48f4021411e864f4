//===- Kernels.h - Compiled loops over one math operation -------*- C++ -*-===//
//
// Makes `out[i] = f(in[i], …)` loops from MLIR text, expands them, compiles
// them for this machine and loads them.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_TEST_VECTORMATH_KERNELS_H
#define NESTOR_TEST_VECTORMATH_KERNELS_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nestor::test {

/// Elements that one call of a kernel handles.
constexpr int64_t chunk = 4096;

/// One loop: `body` computes %r from %x (and %y, when binary) for `lanes`
/// elements; "T" in it stands for the operand type, "R" for the result type.
struct KernelText {
  std::string name;
  std::string body;
  std::string operand = "f32";
  std::string result = "f32";
  int lanes = 8;
  bool isBinary = false;
};

/// The loaded kernels.
class Kernels {
public:
  /// Compiles all texts into one library; null with a gtest failure if that
  /// does not work.
  static std::unique_ptr<Kernels> compile(llvm::ArrayRef<KernelText> texts);
  ~Kernels();

  /// Runs `name` on one chunk.
  void run(llvm::StringRef name, const void *x, const void *y, void *out) const;

  /// The optimised assembly of the kernels for any target; empty with a gtest
  /// failure if that does not work.
  static std::string assemble(llvm::ArrayRef<KernelText> texts,
                              llvm::StringRef target);

private:
  void *library = nullptr;
};

} // namespace nestor::test

#endif // NESTOR_TEST_VECTORMATH_KERNELS_H
