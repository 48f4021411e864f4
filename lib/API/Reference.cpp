//===- Reference.cpp - A model's meaning, by the interpreter --------------===//
//
// The oracle of `verify` without stored outputs: the imported program, run by
// the plain interpreter, which shares no code with lowering.
//
//===----------------------------------------------------------------------===//

#include "nestor/API/Compiler.h"

#include "Convert.h"

#include "nestor/Import/Import.h"
#include "nestor/Interp/Interp.h"
#include "nestor/Pipeline/Dialects.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <cstring>

namespace nestor {

Result<std::vector<Tensor>>
Compiler::interpret(const std::string &path, std::span<const Tensor> inputs,
                    std::span<const TensorInfo> outputs,
                    uint64_t maxSteps) const {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  ConstantPool pool;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  if (llvm::StringRef(path).ends_with(".mlir")) {
    module = mlir::parseSourceFile<mlir::ModuleOp>(
        path, mlir::ParserConfig(&context));
    if (!module)
      return Failure{4, path + " is not valid MLIR"};
  } else {
    ImportOptions import;
    for (const auto &[name, size] : options.dims)
      import.symbols[name] = size;
    auto imported = importOnnx(path, import, context, pool);
    if (!imported)
      return toFailure(imported.takeError());
    module = std::move(*imported);
  }
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  if (!main || main.getNumArguments() != inputs.size() ||
      main.getNumResults() != outputs.size())
    return Failure{1, "the imported program has other inputs or outputs than "
                      "the compiled one"};
  std::vector<HostTensor> arguments;
  for (auto [tensor, type] : llvm::zip(inputs, main.getArgumentTypes())) {
    HostTensor value;
    value.elementType = mlir::getElementTypeOrSelf(type);
    value.dims.assign(tensor.dims().begin(), tensor.dims().end());
    auto *bytes = static_cast<const uint8_t *>(tensor.data());
    value.bytes.assign(bytes, bytes + tensor.numBytes());
    arguments.push_back(std::move(value));
  }
  InterpOptions limits;
  limits.maxSteps = maxSteps;
  auto results = Interp::run(*module, "main", arguments, pool, limits);
  if (!results)
    return toFailure(results.takeError());
  std::vector<Tensor> tensors;
  for (auto [value, info] : llvm::zip(*results, outputs)) {
    auto tensor =
        Tensor::allocate(info.dtype, {value.dims.begin(), value.dims.end()});
    if (!tensor)
      return tensor.failure();
    if (value.bytes.size() != tensor->numBytes())
      return Failure{1, "the interpreter gave '" + info.name +
                            "' another element type"};
    if (!value.bytes.empty())
      memcpy(tensor->mutableData(), value.bytes.data(), value.bytes.size());
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

} // namespace nestor
