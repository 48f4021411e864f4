//===- Device.cpp - Device operations to instructions or plain code -------===//
//
// See the header. Dot products and FMAs are replaced one by one; tiles change
// their type, so they go through a conversion of the whole function.
//
//===----------------------------------------------------------------------===//
#include "nestor/Lower/Device.h"

#include "DeviceLowering.h"

#include "nestor/Intrin/Intrin.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;

static constexpr llvm::StringLiteral kHalfFeatures = "avx512fp16|fullfp16";

/// The features that bring the instruction of `op`.
static llvm::StringRef featuresOf(Operation *op) {
  if (auto dot = dyn_cast<device::DotOp>(op)) {
    auto type = cast<VectorType>(dot.getAcc().getType());
    return infoOf(dot.getKind())
        .form(type.getNumElements() * type.getElementTypeBitWidth())
        ->features;
  }
  if (auto dot = dyn_cast<device::TileDotOp>(op))
    return infoOf(dot.getKind()).features;
  if (isa<device::FmaOp>(op))
    return kHalfFeatures;
  return device::kTileFeatures;
}

/// Which architecture has the feature: their names do not meet ("bf16" is
/// Arm's).
bool nestor::isReal(Operation *op, const Target *target) {
  return target && intrin::hasFeatures(*target, featuresOf(op));
}

static void replaceOne(Operation *op, bool real) {
  OpBuilder builder(op);
  Value value;
  if (auto dot = dyn_cast<device::DotOp>(op)) {
    value = real ? realDot(builder, dot) : emulateDot(builder, dot);
  } else {
    auto fma = cast<device::FmaOp>(op);
    Value x = fma.getLhs(), y = fma.getRhs(), acc = fma.getAcc();
    if (real) {
      value = LLVM::FMAOp::create(builder, op->getLoc(), x, y, acc);
    } else {
      MathBuilder m(builder, op->getLoc(), acc.getType());
      value = emulateHalfFma(m, x, y, acc);
    }
  }
  op->getResult(0).replaceAllUsesWith(value);
  op->erase();
}

LogicalResult nestor::lowerDevice(ModuleOp root, const Target *target) {
  SmallVector<Operation *> vectors;
  llvm::MapVector<Operation *, bool> functions;
  WalkResult walked = root.walk([&](Operation *op) {
    if (isa<device::DotOp, device::FmaOp>(op)) {
      vectors.push_back(op);
    } else if (isa_and_nonnull<device::DeviceDialect>(op->getDialect())) {
      auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
      if (!function) {
        op->emitOpError("is outside of an llvm.func");
        return WalkResult::interrupt();
      }
      bool real = isReal(op, target);
      auto [entry, isNew] = functions.insert({function, real});
      entry->second &= real;
    }
    return WalkResult::advance();
  });
  if (walked.wasInterrupted())
    return failure();
  for (Operation *op : vectors)
    replaceOne(op, isReal(op, target));
  for (auto [op, real] : functions) {
    auto function = cast<LLVM::LLVMFuncOp>(op);
    forwardTiles(function);
    if (failed(lowerTiles(function, real)))
      return failure();
  }
  return success();
}
