//===- DeviceTiles.cpp - Tiles as AMX registers or as vectors -------------===//
//
// Real tiles are x86_amx values; LLVM allocates the registers and writes the
// configuration at the start of the function. Emulated tiles are vectors of
// rows of 32-bit words; their products run over the stack, in loops, so that
// the code stays short.
//
//===----------------------------------------------------------------------===//
#include "DeviceLowering.h"
#include "Services.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::lower;
using device::TileType;

namespace {
Value constant(OpBuilder &builder, Location loc, unsigned bits, int64_t value) {
  Type type = builder.getIntegerType(bits);
  return LLVM::ConstantOp::create(builder, loc, type,
                                  builder.getIntegerAttr(type, value));
}

//===----------------------------------------------------------------------===//
// Real
//===----------------------------------------------------------------------===//

/// rows and bytes of a row, as the intrinsics take them.
SmallVector<Value> shapeOf(OpBuilder &builder, Location loc, TileType tile) {
  return {constant(builder, loc, 16, tile.getRows()),
          constant(builder, loc, 16, tile.getRowBytes())};
}

Value callTile(OpBuilder &builder, Location loc, llvm::StringRef name,
               ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(
             builder, loc, LLVM::LLVMX86AMXType::get(builder.getContext()),
             builder.getStringAttr(name), operands)
      .getResults();
}

struct RealZero : OpConversionPattern<device::TileZeroOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileZeroOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOp(
        op, callTile(rewriter, op.getLoc(), "llvm.x86.tilezero.internal",
                     shapeOf(rewriter, op.getLoc(), op.getType())));
    return success();
  }
};

struct RealLoad : OpConversionPattern<device::TileLoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileLoadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<Value> operands = shapeOf(rewriter, op.getLoc(), op.getType());
    operands.append({adaptor.getBase(), adaptor.getStride()});
    rewriter.replaceOp(op, callTile(rewriter, op.getLoc(),
                                    op.getStreaming()
                                        ? "llvm.x86.tileloaddt164.internal"
                                        : "llvm.x86.tileloadd64.internal",
                                    operands));
    return success();
  }
};

struct RealStore : OpConversionPattern<device::TileStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileStoreOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<Value> operands =
        shapeOf(rewriter, op.getLoc(), op.getTile().getType());
    operands.append(
        {adaptor.getBase(), adaptor.getStride(), adaptor.getTile()});
    LLVM::CallIntrinsicOp::create(
        rewriter, op.getLoc(),
        rewriter.getStringAttr("llvm.x86.tilestored64.internal"), operands);
    rewriter.eraseOp(op);
    return success();
  }
};

struct RealDot : OpConversionPattern<device::TileDotOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileDotOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    SmallVector<Value> operands =
        shapeOf(rewriter, op.getLoc(), op.getAcc().getType());
    operands.push_back(constant(rewriter, op.getLoc(), 16,
                                op.getLhs().getType().getRowBytes()));
    operands.append({adaptor.getAcc(), adaptor.getLhs(), adaptor.getRhs()});
    rewriter.replaceOp(op, callTile(rewriter, op.getLoc(),
                                    infoOf(op.getKind()).intrinsic, operands));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Emulated
//===----------------------------------------------------------------------===//

/// The rows of an emulated tile. An LLVM array: canonicalisation takes vectors
/// of two dims apart into their elements.
LLVM::LLVMArrayType rowsOf(TileType tile) {
  auto row = VectorType::get({tile.getRowBytes() / 4},
                             IntegerType::get(tile.getContext(), 32));
  return LLVM::LLVMArrayType::get(row, tile.getRows());
}

/// A pointer to byte `row * stride` behind `base`.
Value rowPointer(OpBuilder &builder, Location loc, Value base, Value row,
                 Value stride) {
  Value offset = arith::MulIOp::create(builder, loc, row, stride);
  return LLVM::GEPOp::create(builder, loc, base.getType(), builder.getI8Type(),
                             base, ArrayRef<LLVM::GEPArg>{offset});
}

void storeRows(OpBuilder &builder, Location loc, Value rows, Value base,
               Value stride) {
  auto type = cast<LLVM::LLVMArrayType>(rows.getType());
  for (int64_t r = 0, e = type.getNumElements(); r < e; ++r) {
    Value row = LLVM::ExtractValueOp::create(builder, loc, rows, r);
    Value at =
        rowPointer(builder, loc, base, constant(builder, loc, 64, r), stride);
    LLVM::StoreOp::create(builder, loc, row, at, /*alignment=*/1);
  }
}

Value loadRows(OpBuilder &builder, Location loc, LLVM::LLVMArrayType type,
               Value base, Value stride) {
  Value rows = LLVM::PoisonOp::create(builder, loc, type);
  for (int64_t r = 0, e = type.getNumElements(); r < e; ++r) {
    Value at =
        rowPointer(builder, loc, base, constant(builder, loc, 64, r), stride);
    Value row = LLVM::LoadOp::create(builder, loc, type.getElementType(), at,
                                     /*alignment=*/1);
    rows = LLVM::InsertValueOp::create(builder, loc, rows, row, r);
  }
  return rows;
}

struct EmulatedZero : OpConversionPattern<device::TileZeroOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileZeroOp op, OpAdaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOpWithNewOp<LLVM::ZeroOp>(op, rowsOf(op.getType()));
    return success();
  }
};

struct EmulatedLoad : OpConversionPattern<device::TileLoadOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileLoadOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    rewriter.replaceOp(op, loadRows(rewriter, op.getLoc(), rowsOf(op.getType()),
                                    adaptor.getBase(), adaptor.getStride()));
    return success();
  }
};

struct EmulatedStore : OpConversionPattern<device::TileStoreOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult
  matchAndRewrite(device::TileStoreOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    storeRows(rewriter, op.getLoc(), adaptor.getTile(), adaptor.getBase(),
              adaptor.getStride());
    rewriter.eraseOp(op);
    return success();
  }
};

/// A tile on the stack.
struct Spilled {
  Value base, stride;
  LLVM::LLVMArrayType type;
  VectorType rowType;

  Spilled(OpBuilder &builder, Location loc, LLVM::LLVMFuncOp function,
          Value rows)
      : type(cast<LLVM::LLVMArrayType>(rows.getType())),
        rowType(cast<VectorType>(type.getElementType())) {
    int64_t words = rowType.getNumElements();
    base = entryAlloca(function, builder, loc, builder.getI32Type(),
                       type.getNumElements() * words, 64);
    stride = constant(builder, loc, 64, words * 4);
    storeRows(builder, loc, rows, base, stride);
  }
  Value row(OpBuilder &builder, Location loc, Value index) const {
    return rowPointer(builder, loc, base, index, stride);
  }
};

struct EmulatedDot : OpConversionPattern<device::TileDotOp> {
  using OpConversionPattern::OpConversionPattern;

  /// acc row i, over all words k of row i of lhs and the rows of rhs.
  static Value product(OpBuilder &builder, Location loc,
                       const device::TileDotInfo &info, Value acc, Value lhsRow,
                       const Spilled &rhs) {
    Type i32 = builder.getI32Type();
    VectorType words = rhs.rowType;
    MathBuilder m(builder, loc, words);
    SmallVector<Value> init;
    if (info.isFloat())
      init = {m.f(0), m.f(0)}; // even k, odd k
    else
      init = {acc};
    auto loop = scf::ForOp::create(
        builder, loc, constant(builder, loc, 64, 0),
        constant(builder, loc, 64, rhs.type.getNumElements()),
        constant(builder, loc, 64, 1), init,
        [&](OpBuilder &b, Location loc, Value k, ValueRange sums) {
          MathBuilder m(b, loc, words);
          Value at = LLVM::GEPOp::create(b, loc, lhsRow.getType(), i32, lhsRow,
                                         ArrayRef<LLVM::GEPArg>{k});
          Value word = LLVM::LoadOp::create(b, loc, i32, at, 4);
          Value x = vector::BroadcastOp::create(b, loc, words, word);
          Value y = LLVM::LoadOp::create(b, loc, words, rhs.row(b, loc, k), 4);
          SmallVector<Value> next;
          if (info.isFloat())
            for (bool odd : {false, true})
              next.push_back(fmaFlushed(m, bf16Half(m, x, odd),
                                        bf16Half(m, y, odd), sums[odd]));
          else
            next.push_back(emulateWords(m, info.lhs, info.rhs, sums[0], x, y));
          scf::YieldOp::create(b, loc, next);
        });
    if (!info.isFloat())
      return loop.getResult(0);
    Value both = addFlushed(m, loop.getResult(0), loop.getResult(1));
    return m.bits(addFlushed(m, m.fromBits(acc), both));
  }

  LogicalResult
  matchAndRewrite(device::TileDotOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const final {
    Location loc = op.getLoc();
    const device::TileDotInfo &info = infoOf(op.getKind());
    auto function = op->getParentOfType<LLVM::LLVMFuncOp>();
    Spilled acc(rewriter, loc, function, adaptor.getAcc());
    Spilled lhs(rewriter, loc, function, adaptor.getLhs());
    Spilled rhs(rewriter, loc, function, adaptor.getRhs());
    scf::ForOp::create(
        rewriter, loc, constant(rewriter, loc, 64, 0),
        constant(rewriter, loc, 64, acc.type.getNumElements()),
        constant(rewriter, loc, 64, 1), ValueRange(),
        [&](OpBuilder &b, Location loc, Value i, ValueRange) {
          Value at = acc.row(b, loc, i);
          Value row = LLVM::LoadOp::create(b, loc, acc.rowType, at, 4);
          row = product(b, loc, info, row, lhs.row(b, loc, i), rhs);
          LLVM::StoreOp::create(b, loc, row, at, 4);
          scf::YieldOp::create(b, loc);
        });
    rewriter.replaceOp(op,
                       loadRows(rewriter, loc, acc.type, acc.base, acc.stride));
    return success();
  }
};
} // namespace

LogicalResult lower::lowerTiles(LLVM::LLVMFuncOp function, bool real) {
  MLIRContext *context = function.getContext();
  TypeConverter converter;
  converter.addConversion([](Type type) { return type; });
  converter.addConversion([real](TileType tile) -> Type {
    if (real)
      return LLVM::LLVMX86AMXType::get(tile.getContext());
    return rowsOf(tile);
  });
  RewritePatternSet patterns(context);
  ConversionTarget target(*context);
  target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
  target.addIllegalDialect<device::DeviceDialect>();
  scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns,
                                                       target);
  if (real)
    patterns.add<RealZero, RealLoad, RealStore, RealDot>(converter, context);
  else
    patterns.add<EmulatedZero, EmulatedLoad, EmulatedStore, EmulatedDot>(
        converter, context);
  return applyPartialConversion(function, target, std::move(patterns));
}
