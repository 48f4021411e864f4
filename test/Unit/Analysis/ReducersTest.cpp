// Reducers of several accumulators: which bodies are, and what merging gives.
#include "nestor/Analysis/Reducers.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::analysis;

namespace {
class ReducersTest : public testing::Test {
protected:
  ReducersTest() { context.loadDialect<nest::NestDialect>(); }

  /// A reduction over x[i, k] into a[i] (f32) and n[i] (i64), b[i] (f32).
  nest::BlockOp parse(const std::string &body) {
    module = parseSourceString<ModuleOp>(R"mlir(
nest.func @f(%x: memref<4x8xf32>, %a: memref<4xf32>, %n: memref<4xi64>, %b: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %k = 0 to 8 {
      nest.block "r" (%vi : spatial = %i to 4, %vk : reduce = %k to 8) {
        %one = arith.constant 1.0 : f32
        %e = memref.load %x[%vi, %vk] : memref<4x8xf32>
        %j = arith.index_cast %vk : index to i64
        %old = memref.load %a[%vi] : memref<4xf32>
        %at = memref.load %n[%vi] : memref<4xi64>
        %oldb = memref.load %b[%vi] : memref<4xf32>
)mlir" + body + "}}}}",
                                         &context);
    return module ? blocksIn(*module).front() : nest::BlockOp();
  }

  /// The merged state of constants.
  std::vector<double> merge(const TupleReducer &reducer, ArrayRef<double> left,
                            ArrayRef<double> right) {
    OwningOpRef<ModuleOp> scratch = ModuleOp::create(UnknownLoc::get(&context));
    OpBuilder builder = OpBuilder::atBlockEnd(scratch->getBody());
    auto constants = [&](ArrayRef<double> state) {
      SmallVector<Value> values;
      for (auto [load, value] : llvm::zip_equal(reducer.loads, state)) {
        Type type = memref::LoadOp(load).getResult().getType();
        TypedAttr attr = isa<FloatType>(type)
                             ? TypedAttr(builder.getFloatAttr(type, value))
                             : builder.getIntegerAttr(type, int64_t(value));
        values.push_back(
            arith::ConstantOp::create(builder, builder.getUnknownLoc(), attr));
      }
      return values;
    };
    SmallVector<Value> a = constants(left), b = constants(right),
                       merged = reducer.merge(builder, builder.getUnknownLoc(),
                                              a, b);
    std::vector<double> result;
    for (Value value : merged)
      result.push_back(evaluate(value));
    return result;
  }

  static double toDouble(Attribute attr) {
    if (auto real = dyn_cast<FloatAttr>(attr))
      return real.getValueAsDouble();
    return double(cast<IntegerAttr>(attr).getInt());
  }
  static Attribute fold(Value value) {
    Attribute constant;
    if (matchPattern(value, m_Constant(&constant)))
      return constant;
    SmallVector<Attribute> operands;
    for (Value operand : value.getDefiningOp()->getOperands())
      operands.push_back(fold(operand));
    SmallVector<OpFoldResult> results;
    if (failed(value.getDefiningOp()->fold(operands, results)))
      return {};
    if (auto attr = dyn_cast<Attribute>(results.front()))
      return attr;
    return fold(cast<Value>(results.front()));
  }
  static double evaluate(Value value) {
    Attribute attr = fold(value);
    return attr ? toDouble(attr) : -12345;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const char *kArgMax = R"mlir(
  %gt = arith.cmpf ogt, %e, %old : f32
  %v = arith.select %gt, %e, %old : f32
  %w = arith.select %gt, %j, %at : i64
  memref.store %v, %a[%vi] : memref<4xf32>
  memref.store %w, %n[%vi] : memref<4xi64>
)mlir";
const char *kArgMin = R"mlir(
  %lt = arith.cmpf ogt, %old, %e : f32
  %eq = arith.cmpf oeq, %e, %old : f32
  %first = arith.cmpi slt, %j, %at : i64
  %both = arith.andi %first, %eq : i1
  %better = arith.ori %both, %lt : i1
  %w = arith.select %better, %j, %at : i64
  %v = arith.select %better, %e, %old : f32
  memref.store %w, %n[%vi] : memref<4xi64>
  memref.store %v, %a[%vi] : memref<4xf32>
)mlir";
const char *kWelford = R"mlir(
  %n1 = arith.constant 1 : i64
  %count = arith.addi %at, %n1 : i64
  %real = arith.sitofp %count : i64 to f32
  %d = arith.subf %e, %old : f32
  %q = arith.divf %d, %real : f32
  %mean = arith.addf %old, %q : f32
  %d2 = arith.subf %e, %mean : f32
  %p = arith.mulf %d2, %d : f32
  %m2 = arith.addf %oldb, %p : f32
  memref.store %mean, %a[%vi] : memref<4xf32>
  memref.store %m2, %b[%vi] : memref<4xf32>
  memref.store %count, %n[%vi] : memref<4xi64>
)mlir";
} // namespace

TEST_F(ReducersTest, ArgMaxWithoutARuleKeepsItsOrder) {
  auto reducer = tupleReducerOf(parse(kArgMax));
  ASSERT_TRUE(reducer.has_value());
  EXPECT_EQ(reducer->form, TupleReducer::Form::Extreme);
  EXPECT_FALSE(reducer->commutative);
  // The first of equal ones stays.
  EXPECT_EQ(merge(*reducer, {5, 7}, {5, 1}), (std::vector<double>{5, 7}));
  EXPECT_EQ(merge(*reducer, {5, 7}, {6, 1}), (std::vector<double>{6, 1}));
  std::vector<double> neutral = {toDouble(reducer->identities[0]),
                                 toDouble(reducer->identities[1])};
  EXPECT_EQ(merge(*reducer, {-3, 7}, neutral), (std::vector<double>{-3, 7}));
  EXPECT_EQ(merge(*reducer, neutral, {-3, 7}), (std::vector<double>{-3, 7}));
}

TEST_F(ReducersTest, ArgMinWithARuleCommutes) {
  auto reducer = tupleReducerOf(parse(kArgMin));
  ASSERT_TRUE(reducer.has_value());
  EXPECT_TRUE(reducer->commutative);
  // Components are in the order of the stores: index, value.
  EXPECT_EQ(merge(*reducer, {7, 5}, {1, 5}), (std::vector<double>{1, 5}));
  EXPECT_EQ(merge(*reducer, {1, 5}, {7, 5}), (std::vector<double>{1, 5}));
  EXPECT_EQ(merge(*reducer, {1, 5}, {7, 4}), (std::vector<double>{7, 4}));
  EXPECT_EQ(toDouble(reducer->identities[1]), INFINITY);
  EXPECT_EQ(cast<IntegerAttr>(reducer->identities[0]).getInt(), INT64_MAX);
}

TEST_F(ReducersTest, SumsSideBySide) {
  auto reducer = tupleReducerOf(parse(R"mlir(
    %s = arith.addf %old, %e : f32
    %sq = arith.mulf %e, %e : f32
    %t = arith.addf %sq, %oldb : f32
    memref.store %s, %a[%vi] : memref<4xf32>
    memref.store %t, %b[%vi] : memref<4xf32>)mlir"));
  ASSERT_TRUE(reducer.has_value());
  EXPECT_EQ(reducer->form, TupleReducer::Form::Elementwise);
  EXPECT_TRUE(reducer->commutative);
  EXPECT_EQ(merge(*reducer, {1, 2}, {3, 4}), (std::vector<double>{4, 6}));
}

TEST_F(ReducersTest, Welford) {
  auto reducer = tupleReducerOf(parse(kWelford));
  ASSERT_TRUE(reducer.has_value());
  EXPECT_EQ(reducer->form, TupleReducer::Form::MeanVariance);
  // {1, 2, 3} and {7}: mean 13 / 4, squares 20.75.
  EXPECT_EQ(merge(*reducer, {3, 2, 2}, {1, 7, 0}),
            (std::vector<double>{4, 3.25, 20.75}));
  EXPECT_EQ(merge(*reducer, {0, 0, 0}, {0, 0, 0}),
            (std::vector<double>{0, 0, 0}));
}

TEST_F(ReducersTest, WhatIsNone) {
  // The second sum looks at the first.
  EXPECT_FALSE(tupleReducerOf(parse(R"mlir(
    %s = arith.addf %old, %e : f32
    %r = arith.subf %e, %old : f32
    %t = arith.addf %r, %oldb : f32
    memref.store %s, %a[%vi] : memref<4xf32>
    memref.store %t, %b[%vi] : memref<4xf32>)mlir")));
  // Unordered: a NaN would win, and lose afterwards.
  std::string unordered = kArgMax;
  unordered.replace(unordered.find("ogt"), 3, "ugt");
  EXPECT_FALSE(tupleReducerOf(parse(unordered)));
  // Different elements.
  EXPECT_FALSE(tupleReducerOf(parse(R"mlir(
    %c = arith.constant 0 : index
    %s = arith.addf %old, %e : f32
    %t = arith.addf %e, %oldb : f32
    memref.store %s, %a[%vi] : memref<4xf32>
    memref.store %t, %b[%c] : memref<4xf32>)mlir")));
}

TEST_F(ReducersTest, KindsWithinAScope) {
  nest::BlockOp block = parse(kArgMin);
  AffineSpace space(block->getParentOfType<nest::FuncOp>());
  EXPECT_EQ(kindWithin(block, space.getFunc(), space), ScopedKind::Reduction);
  module = parseSourceString<ModuleOp>(R"mlir(
nest.func @f(%a: memref<8xf32>) {
  nest.for %i = 0 to 4 {
    nest.block "low" (%v : spatial = %i to 4) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %a[%v] : memref<8xf32>
    }
    nest.block "high" (%v : spatial = %i + 4 to 8) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %a[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 1 {
    nest.block "again" (%v : spatial = %i to 8) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %a[%v] : memref<8xf32>
    }
  }
})mlir",
                                       &context);
  auto func = *module->getOps<nest::FuncOp>().begin();
  AffineSpace other(func);
  SmallVector<nest::BlockOp> blocks = blocksIn(func);
  EXPECT_EQ(kindWithin(blocks[1], loopsAround(blocks[0])[0], other),
            ScopedKind::LocalComplete);
  EXPECT_EQ(kindWithin(blocks[1], func, other), ScopedKind::LocalComplete);
  EXPECT_EQ(kindWithin(blocks[0], func, other), ScopedKind::Other);
}
