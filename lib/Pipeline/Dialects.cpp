//===- Dialects.cpp - Every dialect that Nestor reads ---------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Pipeline/Dialects.h"

#include "nestor/Dialect/Device/Device.h"
#include "nestor/Dialect/Host/Host.h"
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Schedule/Extension.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

using namespace mlir;

void nestor::registerDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, arith::ArithDialect,
                  cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
                  linalg::LinalgDialect, math::MathDialect,
                  memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect,
                  transform::TransformDialect, vector::VectorDialect,
                  nest::NestDialect, model::ModelDialect, host::HostDialect,
                  device::DeviceDialect>();
  registerScheduleExtension(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}
