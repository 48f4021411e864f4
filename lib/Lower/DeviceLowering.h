//===- DeviceLowering.h - The parts of lowering device operations -*- C++
//-*-===//
//
// Emulation in formula notation. Operands are 32-bit words: the lanes of a dot
// product with the elements that meet in them.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_DEVICELOWERING_H
#define NESTOR_LIB_LOWER_DEVICELOWERING_H

#include "VectorMathBuilder.h"

#include "nestor/Dialect/Device/Device.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/DialectConversion.h"

namespace nestor::lower {

/// acc + the products of the elements of the words; integers.
Value emulateWords(MathBuilder &m, device::Elements lhs, device::Elements rhs,
                   Value acc, Value a, Value b);

/// The halves of a word of bf16 as f32: `odd` the upper one.
Value bf16Half(MathBuilder &m, Value words, bool odd);

/// x * y + acc as AVX512-BF16 and AMX compute it: denormals in and out are 0,
/// rounded once to nearest even.
Value fmaFlushed(MathBuilder &m, Value x, Value y, Value acc);
/// x + y likewise.
Value addFlushed(MathBuilder &m, Value x, Value y);

/// vdpbf16ps on words.
Value emulateVdpbf16ps(MathBuilder &m, Value acc, Value a, Value b);
/// bfdot on words.
Value emulateBfdot(MathBuilder &m, Value acc, Value a, Value b);
/// A fused multiply-add of f16.
Value emulateHalfFma(MathBuilder &m, Value x, Value y, Value acc);

/// A device.dot as plain code.
Value emulateDot(mlir::OpBuilder &builder, device::DotOp op);
/// A device.dot as its instruction.
Value realDot(mlir::OpBuilder &builder, device::DotOp op);

/// Hands tiles over from instruction to instruction where they went through
/// memory for nothing.
void forwardTiles(mlir::LLVM::LLVMFuncOp function);

/// Rewrites the tiles of `function`.
mlir::LogicalResult lowerTiles(mlir::LLVM::LLVMFuncOp function, bool real);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_DEVICELOWERING_H
