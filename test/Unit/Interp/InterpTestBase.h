// What the interpreter's tests share: a context, parsing, running.
#ifndef NESTOR_TEST_UNIT_INTERP_INTERPTESTBASE_H
#define NESTOR_TEST_UNIT_INTERP_INTERPTESTBASE_H

#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Interp/Interp.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nestor {

class InterpTest : public testing::Test {
protected:
  InterpTest() {
    mlir::DialectRegistry registry;
    registry
        .insert<mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                mlir::func::FuncDialect, mlir::linalg::LinalgDialect,
                mlir::math::MathDialect, mlir::memref::MemRefDialect,
                mlir::scf::SCFDialect, mlir::tensor::TensorDialect,
                nest::NestDialect, model::ModelDialect, host::HostDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  mlir::ModuleOp parse(llvm::StringRef text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text.str();
    return *module;
  }

  llvm::Expected<std::vector<HostTensor>>
  run(llvm::StringRef text, llvm::ArrayRef<HostTensor> inputs) {
    mlir::ModuleOp op = parse(text);
    if (!op)
      return makeError(ErrorKind::Usage, "does not parse");
    return Interp::run(op, "main", inputs, pool, options);
  }

  /// The results' texts; an error's text alone when it fails.
  std::vector<std::string> show(llvm::StringRef text,
                                llvm::ArrayRef<HostTensor> inputs = {}) {
    auto results = run(text, inputs);
    if (!results)
      return {takeError(results.takeError()).second};
    std::vector<std::string> texts;
    for (const HostTensor &result : *results)
      texts.push_back(describe(result));
    return texts;
  }

  std::string error(llvm::StringRef text,
                    llvm::ArrayRef<HostTensor> inputs = {}) {
    auto results = run(text, inputs);
    if (results)
      return "no error";
    auto [kind, message] = takeError(results.takeError());
    lastKind = kind;
    return message;
  }

  /// Runs the first nest.func of the module.
  std::string runKernel(llvm::StringRef text,
                        llvm::MutableArrayRef<HostTensor> buffers,
                        llvm::ArrayRef<int64_t> sizes = {}) {
    mlir::ModuleOp op = parse(text);
    if (!op)
      return "does not parse";
    nest::FuncOp kernel = *op.getOps<nest::FuncOp>().begin();
    auto [kind, message] =
        takeError(Interp::runKernel(kernel, buffers, sizes, options));
    lastKind = kind;
    return message;
  }

  mlir::Type f32() { return mlir::Float32Type::get(&context); }
  mlir::Type i32() { return mlir::IntegerType::get(&context, 32); }
  mlir::Type i64() { return mlir::IntegerType::get(&context, 64); }
  HostTensor floats(llvm::ArrayRef<int64_t> dims, std::vector<float> values) {
    return HostTensor::of<float>(f32(), dims, values);
  }
  HostTensor unset(llvm::ArrayRef<int64_t> dims) {
    return HostTensor::undefined(f32(), dims);
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ConstantPool pool;
  InterpOptions options;
  ErrorKind lastKind = ErrorKind::Internal;
};

} // namespace nestor

#endif // NESTOR_TEST_UNIT_INTERP_INTERPTESTBASE_H
