//===- Lower.cpp - Scheduled nests and the host program to LLVM -----------===//
//
// The order of lowering, from top to bottom. See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Lower/Lower.h"

#include "HostEmitter.h"
#include "KernelEmitter.h"

#include "nestor/Dialect/Device/Device.h"
#include "nestor/Lower/Device.h"
#include "nestor/Lower/VectorMath.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

static void loadDialects(MLIRContext *context) {
  context->loadDialect<LLVM::LLVMDialect, scf::SCFDialect, arith::ArithDialect,
                       vector::VectorDialect, math::MathDialect,
                       cf::ControlFlowDialect, device::DeviceDialect>();
}

FailureOr<SmallVector<Operation *>>
nestor::launchedKernels(ModuleOp module, StringRef entryName) {
  auto entry = module.lookupSymbol<func::FuncOp>(entryName);
  if (!entry)
    return module.emitError("has no host function @") << entryName;
  // Only what the entry launches: a module may hold several programs.
  llvm::SetVector<StringAttr> names;
  entry.walk([&](host::LaunchOp launch) {
    names.insert(launch.getKernelAttr().getAttr());
  });
  SmallVector<Operation *> kernels;
  for (StringAttr name : names) {
    auto kernel = module.lookupSymbol<nest::FuncOp>(name);
    if (!kernel)
      return entry.emitError("launches an unknown kernel @") << name.getValue();
    kernels.push_back(kernel);
  }
  return kernels;
}

static LogicalResult emitKernels(ArrayRef<Operation *> kernels,
                                 ModuleOp target) {
  for (Operation *kernel : kernels)
    if (failed(KernelEmitter(cast<nest::FuncOp>(kernel), target).emit()))
      return failure();
  return success();
}

/// The host function and the table of constants and signature.
static LogicalResult emitProgram(ModuleOp module, const LowerOptions &options,
                                 LoweredConstants &constants, ModuleOp target) {
  auto entry = module.lookupSymbol<func::FuncOp>(options.entry);
  if (!entry)
    return module.emitError("has no host function @") << options.entry;
  llvm::StringMap<uint64_t> bytesOf;
  entry.walk([&](host::ConstantOp constant) {
    auto type = cast<MemRefType>(constant.getType());
    int64_t width =
        std::max<int64_t>(1, type.getElementType().getIntOrFloatBitWidth() / 8);
    bytesOf[constant.getKey()] = type.getNumElements() * width;
  });
  if (failed(HostEmitter(entry, target, constants).emit()))
    return failure();
  SmallVector<uint64_t> bytes;
  for (const std::string &key : constants.keys)
    bytes.push_back(bytesOf.lookup(key));
  return emitModelTable(entry, target, options, constants, bytes);
}

FailureOr<OwningOpRef<ModuleOp>>
nestor::lowerKernels(ArrayRef<Operation *> kernels) {
  loadDialects(kernels.front()->getContext());
  OwningOpRef<ModuleOp> target = ModuleOp::create(kernels.front()->getLoc());
  if (failed(emitKernels(kernels, *target)))
    return failure();
  return target;
}

FailureOr<OwningOpRef<ModuleOp>>
nestor::lowerProgram(ModuleOp module, const LowerOptions &options,
                     LoweredConstants &constants) {
  loadDialects(module.getContext());
  auto kernels = launchedKernels(module, options.entry);
  if (failed(kernels))
    return failure();
  OwningOpRef<ModuleOp> target = ModuleOp::create(module.getLoc());
  for (Operation *kernel : *kernels)
    KernelEmitter(cast<nest::FuncOp>(kernel), *target).declare();
  if (failed(emitProgram(module, options, constants, *target)))
    return failure();
  return target;
}

FailureOr<OwningOpRef<ModuleOp>>
nestor::lowerToLoops(ModuleOp module, const LowerOptions &options,
                     LoweredConstants &constants) {
  loadDialects(module.getContext());
  auto kernels = launchedKernels(module, options.entry);
  if (failed(kernels))
    return failure();
  OwningOpRef<ModuleOp> target = ModuleOp::create(module.getLoc());
  if (failed(emitKernels(*kernels, *target)) ||
      failed(emitProgram(module, options, constants, *target)))
    return failure();
  return target;
}

/// Everything that is left to the LLVM dialect, in one conversion.
static LogicalResult convertToLLVM(ModuleOp module) {
  MLIRContext *context = module.getContext();
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  LowerToLLVMOptions options(context);
  LLVMTypeConverter converter(context, options);
  RewritePatternSet patterns(context);
  vector::populateVectorBroadcastLoweringPatterns(patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns,
                                         /*reassociateFPReductions=*/true);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  return applyFullConversion(module, target, std::move(patterns));
}

LogicalResult nestor::lowerToLLVM(ModuleOp module, const Target *target) {
  // Verified once, at the end: verifying after each pass takes as long as the
  // passes.
  // Duplicate loads and index arithmetic go first: what follows is per op.
  PassManager tidy(module.getContext());
  tidy.enableVerifier(false);
  tidy.addPass(createCanonicalizerPass());
  tidy.addPass(createCSEPass());
  if (failed(tidy.run(module)))
    return failure();
  // Before scf is gone: both may make structured control flow. Emulated device
  // operations are math, too.
  if (failed(lowerDevice(module, target)) || failed(expandVectorMath(module)))
    return failure();
  PassManager rest(module.getContext());
  rest.enableVerifier(false);
  rest.addPass(createCanonicalizerPass());
  rest.addPass(arith::createArithExpandOpsPass());
  rest.addPass(createSCFToControlFlowPass());
  if (failed(rest.run(module)) || failed(convertToLLVM(module)))
    return failure();
  PassManager end(module.getContext());
  end.addPass(createReconcileUnrealizedCastsPass());
  return end.run(module);
}
