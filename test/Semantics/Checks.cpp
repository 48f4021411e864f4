// See Checks.h.
#include "Checks.h"

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Schedule/Extension.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

#include <cmath>

using namespace mlir;
using namespace nestor;
using llvm::ArrayRef;

void nestor::loadDialects(MLIRContext &context) {
  DialectRegistry registry;
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect,
                  func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, vector::VectorDialect,
                  nest::NestDialect, host::HostDialect>();
  registerScheduleExtension(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.disableMultithreading();
}

std::string nestor::print(Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->print(os);
  return text;
}

std::string nestor::relayout(nest::FuncOp kernel, const Problem &problem,
                             std::vector<HostTensor> &buffers) {
  buffers = problem.buffers;
  auto list = kernel->getAttrOfType<ArrayAttr>("relayouts");
  if (!list)
    return "";
  for (auto entry : list.getAsRange<DictionaryAttr>()) {
    int64_t arg = entry.getAs<IntegerAttr>("arg").getInt();
    auto name = entry.getAs<FlatSymbolRefAttr>("kernel");
    auto pack =
        SymbolTable::lookupNearestSymbolFrom<nest::FuncOp>(kernel, name);
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

std::vector<HostTensor> nestor::results(Problem &problem, std::string &why) {
  std::vector<HostTensor> buffers = problem.buffers;
  InterpOptions options;
  options.checkContract = true;
  options.written = &problem.written;
  why = takeError(
            Interp::runKernel(problem.kernel, buffers, problem.sizes, options))
            .second;
  problem.written.erase(
      problem.written.begin(),
      problem.written.end() -
          std::min<ptrdiff_t>(problem.writes, problem.written.size()));
  return {buffers.end() - problem.writes, buffers.end()};
}

std::string nestor::difference(ArrayRef<HostTensor> got,
                               ArrayRef<HostTensor> want, double tolerance,
                               ArrayRef<std::vector<bool>> written) {
  for (auto [i, g, w] : llvm::enumerate(got, want))
    for (int64_t e = 0, n = w.getNumElements(); e < n; ++e) {
      double a = elementAsDouble(g, e), b = elementAsDouble(w, e);
      if (a == b || (a != a && b != b) ||
          std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b)) ||
          (!written.empty() && !written[i][e]))
        continue;
      return "result " + std::to_string(i) + " differs at " +
             std::to_string(e) + "\n  got  " + describe(g, 64) + "\n  want " +
             describe(w, 64);
    }
  return "";
}

std::string nestor::meaning(nest::FuncOp kernel, const Problem &problem,
                            ArrayRef<HostTensor> want, uint64_t seed,
                            bool races, uint64_t maxSteps) {
  std::string diagnostics;
  ScopedDiagnosticHandler handler(kernel.getContext(), [&](Diagnostic &d) {
    diagnostics += d.str() + "\n";
    return success();
  });
  if (failed(verify(kernel)))
    return "it is invalid: " + diagnostics;
  std::vector<HostTensor> buffers;
  if (std::string why = relayout(kernel, problem, buffers); !why.empty())
    return why;
  InterpOptions options;
  options.shuffleSeed = seed + 1;
  options.checkRaces = races;
  options.maxSteps = maxSteps;
  options.maxBufferBytes = 1 << 24;
  options.checkContract = options.contractOfArguments = true;
  std::vector<std::vector<bool>> written;
  options.written = &written;
  if (llvm::Error error =
          Interp::runKernel(kernel, buffers, problem.sizes, options)) {
    auto [kind, text] = takeError(std::move(error));
    return kind == ErrorKind::Budget ? kOverBudget : text;
  }
  for (unsigned n = 0; n < problem.writes; ++n) {
    const std::vector<bool> &now = written[written.size() - problem.writes + n];
    for (size_t e = 0; e < now.size(); ++e)
      if (!now[e] && (problem.written.empty() || problem.written[n][e]))
        return "result " + std::to_string(n) + ": element " +
               std::to_string(e) + " is not written any more";
  }
  return difference(ArrayRef(buffers).take_back(problem.writes), want,
                    problem.tolerance, problem.written);
}

std::string nestor::native(nest::FuncOp kernel, const Problem &problem,
                           ArrayRef<HostTensor> want, uint64_t seed) {
  std::vector<HostTensor> buffers;
  if (std::string why = relayout(kernel, problem, buffers); !why.empty())
    return why;
  if (llvm::Error error = runNative(kernel, buffers, problem.writes,
                                    problem.sizes, 1 + seed % 3))
    return takeError(std::move(error)).second;
  return difference(ArrayRef(buffers).take_back(problem.writes), want,
                    problem.tolerance, problem.written);
}
