//===- VectorMath.cpp - Math functions as inline arithmetic ---------------===//
//
// Decides, operation by operation, what is expanded and in which precision;
// the formulas are in VectorMathExp, -Log, -Trig and -Convert.
//
//===----------------------------------------------------------------------===//
#include "nestor/Lower/VectorMath.h"
#include "VectorMathBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace nestor;
using namespace mlir;

namespace {

using Results = SmallVector<Value, 2>;

bool isScalable(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.isScalable();
}

/// A constant exponent, directly or as a splat.
std::optional<double> constantOf(Value value) {
  while (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
    value = broadcast.getSource();
  APFloat number(0.0f);
  if (!matchPattern(value, m_ConstantFloat(&number)))
    return std::nullopt;
  bool lossy;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return number.convertToDouble();
}

/// x^y for exponents that need no logarithm; null for all others.
Value powConstant(MathBuilder &m, Value x, double y) {
  if (y == 0)
    return m.f(1.0f);
  if (y == 1)
    return x;
  if (y == 2)
    return m.mul(x, x);
  if (y == 3)
    return m.mul(m.mul(x, x), x);
  if (y == 4) {
    Value square = m.mul(x, x);
    return m.mul(square, square);
  }
  if (y == -1)
    return m.div(m.f(1.0f), x);
  if (y == 0.5 || y == -0.5) {
    // pow(-0, ±0.5) is +0 or +inf and pow(-inf, ±0.5) is +inf or +0.
    Value root = m.add(m.sqrt(x), m.f(0.0f));
    Value isMinusInf = m.eq(x, m.f(-vmath::infinity));
    root = m.select(isMinusInf, m.f(vmath::infinity), root);
    return y > 0 ? root : m.div(m.f(1.0f), root);
  }
  return {};
}

Value powF32(MathBuilder &m, Value x, Value y) {
  if (std::optional<double> number = constantOf(y))
    if (Value simple = powConstant(m, x, *number))
      return simple;
  return vmath::pow(m, x, m.toDouble(y));
}

/// The f32 expansion of `op` on f32 `in` (an integer operand as it was);
/// empty when the operation is kept.
Results expandF32(Operation *op, MathBuilder &m, ArrayRef<Value> in) {
  using namespace vmath;
  auto absolute = [&] { return m.abs(in[0]); };
  auto infinite = [&] { return m.f(infinity); };
  return llvm::TypeSwitch<Operation *, Results>(op)
      .Case<math::ExpOp>([&](auto) { return Results{exp(m, in[0])}; })
      .Case<math::Exp2Op>([&](auto) { return Results{exp2(m, in[0])}; })
      .Case<math::ExpM1Op>([&](auto) { return Results{expm1(m, in[0])}; })
      .Case<math::LogOp>([&](auto) { return Results{log(m, in[0])}; })
      .Case<math::Log2Op>([&](auto) { return Results{log2(m, in[0])}; })
      .Case<math::Log10Op>([&](auto) { return Results{log10(m, in[0])}; })
      .Case<math::Log1pOp>([&](auto) { return Results{log1p(m, in[0])}; })
      .Case<math::TanhOp>([&](auto) { return Results{tanh(m, in[0])}; })
      .Case<math::SinhOp>([&](auto) { return Results{sinh(m, in[0])}; })
      .Case<math::CoshOp>([&](auto) { return Results{cosh(m, in[0])}; })
      .Case<math::AsinhOp>([&](auto) { return Results{asinh(m, in[0])}; })
      .Case<math::AcoshOp>([&](auto) { return Results{acosh(m, in[0])}; })
      .Case<math::AtanhOp>([&](auto) { return Results{atanh(m, in[0])}; })
      .Case<math::ErfOp>([&](auto) { return Results{erf(m, in[0])}; })
      .Case<math::ErfcOp>([&](auto) { return Results{erfc(m, in[0])}; })
      .Case<math::SinOp>([&](auto) { return Results{sin(m, in[0])}; })
      .Case<math::CosOp>([&](auto) { return Results{cos(m, in[0])}; })
      .Case<math::SincosOp>([&](auto) {
        auto [s, c] = sincos(m, in[0]);
        return Results{s, c};
      })
      .Case<math::TanOp>([&](auto) { return Results{tan(m, in[0])}; })
      .Case<math::AsinOp>([&](auto) { return Results{asin(m, in[0])}; })
      .Case<math::AcosOp>([&](auto) { return Results{acos(m, in[0])}; })
      .Case<math::AtanOp>([&](auto) { return Results{atan(m, in[0])}; })
      .Case<math::Atan2Op>(
          [&](auto) { return Results{atan2(m, in[0], in[1])}; })
      .Case<math::CbrtOp>([&](auto) { return Results{cbrt(m, in[0])}; })
      .Case<math::RsqrtOp>([&](auto) { return Results{rsqrt(m, in[0])}; })
      .Case<math::PowFOp>(
          [&](auto) { return Results{powF32(m, in[0], in[1])}; })
      .Case<math::FPowIOp>([&](auto) {
        APInt n;
        if (matchPattern(in[1], m_ConstantInt(&n)) && n.isSignedIntN(32))
          if (Value simple = powConstant(m, in[0], n.getSExtValue()))
            return Results{simple};
        Value y = arith::SIToFPOp::create(m.b, m.loc, m.f64Type(), in[1]);
        return Results{pow(m, in[0], y)};
      })
      .Case<math::ClampFOp>([&](auto) {
        return Results{m.atMost(m.atLeast(in[0], in[1]), in[2])};
      })
      .Case<math::IsNaNOp>([&](auto) { return Results{m.isNaN(in[0])}; })
      .Case<math::IsInfOp>(
          [&](auto) { return Results{m.eq(absolute(), infinite())}; })
      .Case<math::IsFiniteOp>(
          [&](auto) { return Results{m.lt(absolute(), infinite())}; })
      .Case<math::IsNormalOp>([&](auto) {
        Value a = absolute();
        Value isLarge =
            m.cmp(arith::CmpFPredicate::OGE, a, m.f(1.17549435e-38f));
        return Results{m.andi(isLarge, m.lt(a, infinite()))};
      })
      .Default([](Operation *) { return Results{}; });
}

/// libm's name for an f64 operation; null for those that are kept.
const char *libmName(Operation *op) {
  return llvm::TypeSwitch<Operation *, const char *>(op)
      .Case<math::ExpOp>([](auto) { return "exp"; })
      .Case<math::Exp2Op>([](auto) { return "exp2"; })
      .Case<math::ExpM1Op>([](auto) { return "expm1"; })
      .Case<math::LogOp>([](auto) { return "log"; })
      .Case<math::Log2Op>([](auto) { return "log2"; })
      .Case<math::Log10Op>([](auto) { return "log10"; })
      .Case<math::Log1pOp>([](auto) { return "log1p"; })
      .Case<math::TanhOp>([](auto) { return "tanh"; })
      .Case<math::SinhOp>([](auto) { return "sinh"; })
      .Case<math::CoshOp>([](auto) { return "cosh"; })
      .Case<math::AsinhOp>([](auto) { return "asinh"; })
      .Case<math::AcoshOp>([](auto) { return "acosh"; })
      .Case<math::AtanhOp>([](auto) { return "atanh"; })
      .Case<math::ErfOp>([](auto) { return "erf"; })
      .Case<math::ErfcOp>([](auto) { return "erfc"; })
      .Case<math::SinOp>([](auto) { return "sin"; })
      .Case<math::CosOp>([](auto) { return "cos"; })
      .Case<math::TanOp>([](auto) { return "tan"; })
      .Case<math::AsinOp>([](auto) { return "asin"; })
      .Case<math::AcosOp>([](auto) { return "acos"; })
      .Case<math::AtanOp>([](auto) { return "atan"; })
      .Case<math::Atan2Op>([](auto) { return "atan2"; })
      .Case<math::CbrtOp>([](auto) { return "cbrt"; })
      .Case<math::PowFOp>([](auto) { return "pow"; })
      .Case<math::FPowIOp>([](auto) { return "pow"; })
      .Case<arith::RemFOp>([](auto) { return "fmod"; })
      .Default([](Operation *) { return nullptr; });
}

/// One call of libm's `name`, declared on first use, in the dialect of the
/// function that `at` is in.
Value callScalar(Operation *at, OpBuilder &b, Location loc, StringRef name,
                 ArrayRef<Value> in) {
  Type f64 = b.getF64Type();
  SmallVector<Type> types(in.size(), f64);
  bool isLLVM = at->getParentOfType<LLVM::LLVMFuncOp>() != nullptr;
  Operation *table = SymbolTable::getNearestSymbolTable(at);
  if (table && !SymbolTable::lookupSymbolIn(table, name)) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&table->getRegion(0).front());
    if (isLLVM)
      LLVM::LLVMFuncOp::create(b, loc, name,
                               LLVM::LLVMFunctionType::get(f64, types));
    else
      func::FuncOp::create(b, loc, name, b.getFunctionType(types, f64))
          .setPrivate();
  }
  if (isLLVM)
    return LLVM::CallOp::create(b, loc, TypeRange{f64}, name, in).getResult();
  return func::CallOp::create(b, loc, name, f64, in).getResult(0);
}

/// Calls `name` on every lane of f64 `in`.
Value callLibm(Operation *at, OpBuilder &b, Location loc, StringRef name,
               ArrayRef<Value> in) {
  auto vector = dyn_cast<VectorType>(in[0].getType());
  if (!vector)
    return callScalar(at, b, loc, name, in);
  Value result = arith::ConstantOp::create(b, loc, b.getZeroAttr(vector));
  SmallVector<int64_t> position(vector.getRank(), 0);
  for (int64_t lane = 0; lane < vector.getNumElements(); ++lane) {
    int64_t rest = lane;
    for (int64_t d = vector.getRank(); d-- > 0; rest /= vector.getDimSize(d))
      position[d] = rest % vector.getDimSize(d);
    SmallVector<Value> scalars;
    for (Value operand : in)
      scalars.push_back(vector::ExtractOp::create(b, loc, operand, position));
    Value one = callScalar(at, b, loc, name, scalars);
    result = vector::InsertOp::create(b, loc, one, result, position);
  }
  return result;
}

Results expandF64(Operation *op, MathBuilder &m, ArrayRef<Value> in) {
  auto one = [&] { return m.d(1.0); };
  auto inf = [&] { return m.d(__builtin_inf()); };
  if (isa<math::RsqrtOp>(op))
    return {m.div(one(), m.sqrt(in[0]))};
  if (isa<math::ClampFOp>(op))
    return {m.atMost(m.atLeast(in[0], in[1]), in[2])};
  if (isa<math::IsNaNOp>(op))
    return {m.isNaN(in[0])};
  if (isa<math::IsInfOp>(op))
    return {m.eq(m.abs(in[0]), inf())};
  if (isa<math::IsFiniteOp>(op))
    return {m.lt(m.abs(in[0]), inf())};
  if (isa<math::IsNormalOp>(op)) {
    Value a = m.abs(in[0]);
    Value isLarge =
        m.cmp(arith::CmpFPredicate::OGE, a, m.d(2.2250738585072014e-308));
    return {m.andi(isLarge, m.lt(a, inf()))};
  }
  if (isa<math::PowFOp>(op))
    if (std::optional<double> y = constantOf(in[1])) {
      if (*y == 1)
        return {in[0]};
      if (*y == 2)
        return {m.mul(in[0], in[0])};
    }
  if (isa<math::SincosOp>(op))
    return {callLibm(op, m.b, m.loc, "sin", in[0]),
            callLibm(op, m.b, m.loc, "cos", in[0])};
  const char *name = libmName(op);
  if (!name)
    return {};
  SmallVector<Value> operands(in);
  if (isa<math::FPowIOp>(op))
    operands[1] = arith::SIToFPOp::create(m.b, m.loc, m.f64Type(), in[1]);
  return {callLibm(op, m.b, m.loc, name, operands)};
}

bool isNarrow(Type element) { return element.isF16() || element.isBF16(); }

/// f16 or bf16 → f32, exactly.
Value widen(MathBuilder &m, Value x) {
  if (getElementTypeOrSelf(x).isBF16())
    return vmath::bf16ToF32(m, x);
  return arith::ExtFOp::create(m.b, m.loc, m.f32Type(), x);
}

/// f32 → f16 or bf16, rounded once.
Value narrow(MathBuilder &m, Value x, Type element) {
  if (element.isBF16())
    return vmath::f32ToBF16(m, x);
  return arith::TruncFOp::create(m.b, m.loc, m.shaped(element), x);
}

/// f16 and bf16 operations: operands to f32, the operation there (expanded if
/// need be), floating-point results back.
Results expandNarrow(Operation *op, MathBuilder &m, Type element) {
  SmallVector<Value> in;
  for (Value operand : op->getOperands())
    in.push_back(isNarrow(getElementTypeOrSelf(operand)) ? widen(m, operand)
                                                         : operand);
  Results wide = expandF32(op, m, in);
  if (wide.empty()) {
    SmallVector<Type> types;
    for (Type type : op->getResultTypes())
      types.push_back(isNarrow(getElementTypeOrSelf(type)) ? m.f32Type()
                                                           : type);
    OperationState state(m.loc, op->getName(), in, types, op->getAttrs());
    for (Value result : m.b.create(state)->getResults())
      wide.push_back(result);
  }
  for (auto [value, old] : llvm::zip_equal(wide, op->getResults()))
    if (isNarrow(getElementTypeOrSelf(old)))
      value = narrow(m, value, element);
  return wide;
}

/// vector.reduction and vector.fma on narrow types, through f32 as well.
Results expandNarrowVector(Operation *op, OpBuilder &b, Type element) {
  Location loc = op->getLoc();
  auto reduction = dyn_cast<vector::ReductionOp>(op);
  if (!reduction)
    return {};
  MathBuilder lanes(b, loc, reduction.getVector().getType());
  MathBuilder scalar(b, loc, element);
  Value wide = widen(lanes, reduction.getVector());
  Value acc = reduction.getAcc() ? widen(scalar, reduction.getAcc()) : Value();
  Value result =
      acc ? vector::ReductionOp::create(b, loc, reduction.getKind(), wide, acc)
          : vector::ReductionOp::create(b, loc, reduction.getKind(), wide);
  return {narrow(scalar, result, element)};
}

/// Conversions from or to the narrow types.
Results expandConversion(Operation *op, OpBuilder &b) {
  Location loc = op->getLoc();
  Value x = op->getOperand(0);
  Type from = getElementTypeOrSelf(x);
  Type to = getElementTypeOrSelf(op->getResult(0));
  MathBuilder m(b, loc, x.getType());
  if (isa<arith::ExtFOp>(op)) {
    if (!from.isBF16())
      return {};
    Value wide = vmath::bf16ToF32(m, x);
    return {to.isF64() ? m.toDouble(wide) : wide};
  }
  if (isa<arith::TruncFOp>(op)) {
    if (from.isF64() && isNarrow(to))
      return {narrow(m, vmath::f64ToF32Odd(m, x), to)};
    if (to.isBF16())
      return {vmath::f32ToBF16(m, from.isF32() ? x : widen(m, x))};
    return {};
  }
  if (isa<arith::SIToFPOp, arith::UIToFPOp>(op)) {
    if (!isNarrow(to))
      return {};
    // f32 holds 24 bits exactly; more of them reach bf16 through f64, so that
    // they are rounded once. f16 overflows long before.
    bool viaDouble = to.isBF16() && from.getIntOrFloatBitWidth() > 24;
    Type wide = viaDouble ? m.f64Type() : m.f32Type();
    OperationState state(loc, op->getName(), x, wide, op->getAttrs());
    Value number = b.create(state)->getResult(0);
    return {narrow(m, viaDouble ? vmath::f64ToF32Odd(m, number) : number, to)};
  }
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op)) {
    if (!isNarrow(from))
      return {};
    OperationState state(loc, op->getName(), widen(m, x), op->getResultTypes(),
                         op->getAttrs());
    return {b.create(state)->getResult(0)};
  }
  return {};
}

/// Sign-bit operations need no widening.
Results expandSignBit(Operation *op, MathBuilder &m, Type element) {
  if (!isa<arith::NegFOp, math::AbsFOp>(op))
    return {};
  Type i16 = m.shaped(m.b.getI16Type());
  Value bits = arith::BitcastOp::create(m.b, m.loc, i16, op->getOperand(0));
  Value changed = isa<arith::NegFOp>(op)
                      ? m.xori(bits, m.constant(m.b.getI16IntegerAttr(-32768)))
                      : m.andi(bits, m.constant(m.b.getI16IntegerAttr(32767)));
  return {arith::BitcastOp::create(m.b, m.loc, m.shaped(element), changed)};
}

/// A choice between bf16 vectors, through f32: without bf16 instructions LLVM
/// does the same by library calls (and folds a choice of integers back).
Results expandSelect(arith::SelectOp op, OpBuilder &b) {
  auto type = dyn_cast<VectorType>(op.getType());
  if (!type || !type.getElementType().isBF16())
    return {};
  MathBuilder m(b, op.getLoc(), type);
  return expandNarrow(op, m, type.getElementType());
}

/// What replaces `op`, made before it; empty when it stays.
Results expand(Operation *op, OpBuilder &b) {
  if (op->getNumResults() == 0 || op->getNumOperands() == 0)
    return {};
  for (Type type : op->getOperandTypes())
    if (isScalable(type))
      return {};
  if (isa<arith::ExtFOp, arith::TruncFOp, arith::SIToFPOp, arith::UIToFPOp,
          arith::FPToSIOp, arith::FPToUIOp>(op))
    return expandConversion(op, b);
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return expandSelect(select, b);
  Type first = op->getOperand(0).getType();
  Type element = getElementTypeOrSelf(first);
  if (isa<vector::ReductionOp>(op))
    return isNarrow(element) ? expandNarrowVector(op, b, element) : Results{};

  bool isArith =
      isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
          arith::RemFOp, arith::NegFOp, arith::MaximumFOp, arith::MinimumFOp,
          arith::MaxNumFOp, arith::MinNumFOp, arith::CmpFOp>(op);
  bool isMath = isa_and_nonnull<math::MathDialect>(op->getDialect()) ||
                isa<vector::FMAOp>(op);
  if (!isArith && !isMath)
    return {};
  MathBuilder m(b, op->getLoc(), first);
  if (auto power = dyn_cast<math::IPowIOp>(op))
    return {vmath::ipow(m, power.getLhs(), power.getRhs())};
  if (isNarrow(element)) {
    Results bits = expandSignBit(op, m, element);
    return bits.empty() ? expandNarrow(op, m, element) : bits;
  }
  SmallVector<Value> in(op->getOperands());
  if (element.isF32() && isMath)
    return expandF32(op, m, in);
  if (element.isF64() && (isMath || isa<arith::RemFOp>(op)))
    return expandF64(op, m, in);
  return {};
}

struct ExpandPattern : RewritePattern {
  explicit ExpandPattern(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    Results results = expand(op, rewriter);
    if (results.empty())
      return failure();
    rewriter.replaceOp(op, results);
    return success();
  }
};

} // namespace

void nestor::registerVectorMathDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
                  math::MathDialect, scf::SCFDialect, vector::VectorDialect>();
}

LogicalResult nestor::expandVectorMath(Operation *root) {
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (isa_and_nonnull<math::MathDialect, arith::ArithDialect,
                        vector::VectorDialect>(op->getDialect()))
      ops.push_back(op);
  });
  OpBuilder builder(root->getContext());
  for (Operation *op : ops) {
    builder.setInsertionPoint(op);
    Results results = expand(op, builder);
    if (results.empty())
      continue;
    op->replaceAllUsesWith(results);
    op->erase();
  }
  return success();
}

void nestor::populateVectorMathPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandPattern>(patterns.getContext());
}

Value nestor::buildSigmoid(OpBuilder &builder, Location loc, Value x) {
  MathBuilder m(builder, loc, x.getType());
  return vmath::sigmoid(m, x);
}
