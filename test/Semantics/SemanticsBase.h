// What the tests of random kernels share.
//
// NESTOR_SEMANTICS_SEED=N starts at that seed (and runs it alone),
// NESTOR_SEMANTICS_CASES=N sets how many run, NESTOR_SEMANTICS_FAILURES=N after
// how many failures to stop. A failure prints its seed and the kernel.
#ifndef NESTOR_TEST_SEMANTICS_SEMANTICSBASE_H
#define NESTOR_TEST_SEMANTICS_SEMANTICSBASE_H

#include "NativeKernel.h"
#include "RandomNest.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Interp/Interp.h"
#include "nestor/Support/Error.h"

#include "nestor/Schedule/Extension.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "gtest/gtest.h"

#include <cstdlib>

namespace nestor {

inline uint64_t setting(const char *name, uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

inline std::string print(mlir::Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->print(os);
  return text;
}

/// The kernel's buffers: arguments in a new layout go through the kernels that
/// make it. Empty text: done.
inline std::string relayout(nest::FuncOp kernel, const Problem &problem,
                            std::vector<HostTensor> &buffers) {
  buffers = problem.buffers;
  auto list = kernel->getAttrOfType<mlir::ArrayAttr>("relayouts");
  if (!list)
    return "";
  for (auto entry : list.getAsRange<mlir::DictionaryAttr>()) {
    int64_t arg = entry.getAs<mlir::IntegerAttr>("arg").getInt();
    auto name = entry.getAs<mlir::FlatSymbolRefAttr>("kernel");
    auto pack =
        mlir::SymbolTable::lookupNearestSymbolFrom<nest::FuncOp>(kernel, name);
    if (!pack)
      return "no kernel " + name.getValue().str();
    llvm::SmallVector<int64_t> dims;
    if (!kernelDims(kernel, arg, problem.sizes, dims))
      return "a shape has no value";
    HostTensor packed = HostTensor::undefined(buffers[arg].elementType, dims);
    std::vector<HostTensor> pair = {buffers[arg], packed};
    auto [kind, text] = takeError(Interp::runKernel(pack, pair, problem.sizes));
    if (!text.empty())
      return text + "\n" + print(pack);
    buffers[arg] = pair[1];
  }
  return "";
}

class Semantics : public testing::Test {
protected:
  Semantics() {
    mlir::DialectRegistry registry;
    registry.insert<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                    mlir::func::FuncDialect, mlir::LLVM::LLVMDialect,
                    mlir::math::MathDialect, mlir::memref::MemRefDialect,
                    mlir::scf::SCFDialect, mlir::vector::VectorDialect,
                    nest::NestDialect, host::HostDialect>();
    registerScheduleExtension(registry);
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.disableMultithreading();
  }

  /// Calls `check` with each seed until NESTOR_SEMANTICS_FAILURES (3) have
  /// failed.
  template <typename F>
  void forSeeds(uint64_t cases, F check) {
    uint64_t first = setting("NESTOR_SEMANTICS_SEED", 0);
    if (std::getenv("NESTOR_SEMANTICS_SEED"))
      cases = 1;
    cases = setting("NESTOR_SEMANTICS_CASES", cases);
    uint64_t failures = 0, limit = setting("NESTOR_SEMANTICS_FAILURES", 3);
    for (uint64_t seed = first; seed < first + cases && failures < limit;
         ++seed) {
      std::string problem = check(seed);
      if (problem.empty())
        continue;
      ++failures;
      ADD_FAILURE() << "seed " << seed << ": " << problem;
    }
  }

  static std::string text(llvm::Error error) {
    return takeError(std::move(error)).second;
  }

  /// Not empty: how `got` differs from `want`.
  static std::string difference(const std::vector<HostTensor> &got,
                                const std::vector<HostTensor> &want) {
    for (size_t i = 0; i < got.size(); ++i)
      for (int64_t e = 0, n = want[i].getNumElements(); e < n; ++e) {
        double a = elementAsDouble(got[i], e), b = elementAsDouble(want[i], e);
        if (a != b && !(a != a && b != b))
          return "buffer " + std::to_string(i) + " differs at " +
                 std::to_string(e) + "\n  got  " + describe(got[i], 64) +
                 "\n  want " + describe(want[i], 64);
      }
    return "";
  }

  /// Makes loops serial as long as `check` still fails; the last message and
  /// the nest that it is about.
  template <typename F>
  static std::string shrink(nest::FuncOp kernel, F check, std::string message) {
    mlir::OwningOpRef<nest::FuncOp> copy = kernel.clone();
    copy->walk([&](nest::ForOp loop) {
      nest::LoopKind kind = loop.getKind();
      if (kind == nest::LoopKind::Serial)
        return;
      loop.setKind(nest::LoopKind::Serial);
      std::string now = check(*copy);
      if (now.empty())
        loop.setKind(kind);
      else
        message = now;
    });
    llvm::raw_string_ostream os(message);
    os << '\n' << **copy << '\n';
    return message;
  }

  /// Empty when `kernel` computes what `want` says.
  std::string meaning(nest::FuncOp kernel, const Problem &problem,
                      const HostTensor &want, uint64_t seed, bool races) {
    std::string diagnostics;
    mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &d) {
      diagnostics += d.str() + "\n";
      return mlir::success();
    });
    if (failed(mlir::verify(kernel)))
      return "it is invalid: " + diagnostics;
    std::vector<HostTensor> buffers;
    if (std::string why = relayout(kernel, problem, buffers); !why.empty())
      return why;
    InterpOptions options;
    options.shuffleSeed = seed + 1;
    options.checkRaces = races;
    if (llvm::Error error =
            Interp::runKernel(kernel, buffers, problem.sizes, options))
      return text(std::move(error));
    return difference({buffers.back()}, {want});
  }

  std::string native(nest::FuncOp kernel, const Problem &problem,
                     const HostTensor &want, uint64_t seed) {
    std::vector<HostTensor> buffers;
    if (std::string why = relayout(kernel, problem, buffers); !why.empty())
      return why;
    if (llvm::Error error = runNative(kernel, buffers, problem.writes,
                                      problem.sizes, 1 + seed % 3))
      return text(std::move(error));
    return difference({buffers.back()}, {want});
  }

  mlir::MLIRContext context;
};

} // namespace nestor

#endif // NESTOR_TEST_SEMANTICS_SEMANTICSBASE_H
