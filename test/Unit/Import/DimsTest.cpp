// Sizes as polynomials: what folds, what becomes one value, what stays apart.
#include "nestor/Import/ONNX/Dims.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace nestor::onnx;
using P = arith::CmpIPredicate;

namespace {

class DimsTest : public testing::Test {
protected:
  DimsTest() : builder(&context) {
    context.loadDialect<arith::ArithDialect, func::FuncDialect>();
    module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToEnd(module->getBody());
    Type index = builder.getIndexType();
    auto function = func::FuncOp::create(
        builder, builder.getUnknownLoc(), "f",
        builder.getFunctionType({index, index, index}, {}));
    Block *entry = function.addEntryBlock();
    builder.setInsertionPointToEnd(entry);
    d = std::make_unique<DimMath>(builder, entry);
    b = function.getArgument(0);
    s = function.getArgument(1);
    data = function.getArgument(2);
    d->setNonNegative(function.getArgument(0));
    d->setNonNegative(function.getArgument(1));
  }
  Dim c(int64_t v) { return d->constant(v); }

  MLIRContext context;
  OpBuilder builder;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<DimMath> d;
  /// Two sizes and a number that may be negative.
  Dim b, s, data;
};

TEST_F(DimsTest, EqualPolynomialsAreOneValue) {
  EXPECT_EQ(d->mul(d->add(b, s), c(4)),
            d->add(d->mul(c(4), s), d->mul(b, c(4))));
  EXPECT_EQ(d->sub(d->add(b, c(3)), c(3)), b);
  EXPECT_EQ(d->mul(b, s), d->mul(s, b));
  EXPECT_NE(d->add(b, s), d->mul(b, s));
}

TEST_F(DimsTest, QuotientsCancel) {
  Dim total = d->product({b, s, c(768)});
  EXPECT_EQ(DimMath::value(d->floorDiv(total, d->mul(b, s))), 768);
  EXPECT_EQ(d->floorDiv(total, d->mul(s, c(768))), b);
  EXPECT_EQ(d->floorDiv(d->add(d->mul(b, c(4)), c(8)), c(4)), d->add(b, c(2)));
  EXPECT_EQ(d->ceilDiv(b, c(1)), b);
  EXPECT_FALSE(d->exactQuotient(b, c(2)));
  EXPECT_EQ(DimMath::value(d->floorDiv(c(-7), c(2))), -4);
  EXPECT_EQ(DimMath::value(d->ceilDiv(c(7), c(2))), 4);
}

TEST_F(DimsTest, BoundsUseThatSizesAreNotNegative) {
  EXPECT_EQ(d->max(b, c(0)), b);
  EXPECT_EQ(DimMath::value(d->min(b, c(-1))), -1);
  EXPECT_EQ(d->min(b, d->add(b, s)), b);
  EXPECT_NE(d->max(data, c(0)), data);
  EXPECT_FALSE(DimMath::value(d->min(b, c(3))));
  EXPECT_EQ(d->min(b, c(3)), d->min(c(3), b));
}

TEST_F(DimsTest, ComparisonsFold) {
  EXPECT_EQ(DimMath::value(d->compare(P::eq, b, b)), 1);
  EXPECT_EQ(DimMath::value(d->compare(P::eq, b, c(-1))), 0);
  EXPECT_EQ(DimMath::value(d->compare(P::sge, b, c(0))), 1);
  EXPECT_EQ(DimMath::value(d->compare(P::slt, d->add(b, c(1)), b)), 0);
  EXPECT_FALSE(DimMath::value(d->compare(P::eq, b, s)));
  EXPECT_FALSE(DimMath::value(d->compare(P::eq, data, c(-1))));
  EXPECT_EQ(d->select(c(1), b, s), b);
  EXPECT_EQ(d->select(d->compare(P::eq, b, s), s, s), s);
}

TEST_F(DimsTest, AssumptionsAreKept) {
  Dim half = d->floorDiv(b, c(2));
  EXPECT_FALSE(d->equal(half, s));
  d->assumeEqual(half, s);
  EXPECT_TRUE(d->equal(half, s));
  EXPECT_TRUE(d->equal(s, half));
}

TEST_F(DimsTest, OnlyLoneAtomsMayBeOne) {
  EXPECT_TRUE(d->mayBeOne(b));
  EXPECT_TRUE(d->mayBeOne(d->min(b, c(3))));
  EXPECT_FALSE(d->mayBeOne(d->mul(b, c(2))));
  EXPECT_FALSE(d->mayBeOne(d->add(b, c(1))));
  EXPECT_TRUE(d->mayBeOne(c(1)));
  EXPECT_FALSE(d->mayBeOne(c(2)));
}

TEST_F(DimsTest, OverflowDoesNotFold) {
  Dim big = c(INT64_MAX);
  EXPECT_FALSE(DimMath::value(d->add(big, big)));
  EXPECT_FALSE(DimMath::value(d->mul(big, c(2))));
}

} // namespace
