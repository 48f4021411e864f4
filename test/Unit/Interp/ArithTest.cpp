// Scalars: signedness by operation, rounding to the type, edge cases.
#include "InterpTestBase.h"

using namespace nestor;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {
class Scalars : public InterpTest {
protected:
  /// The result of a body on no inputs that ends in %r.
  std::string value(const std::string &type, const std::string &body) {
    auto texts = show("func.func @main() -> " + type + " {\n" + body +
                      "\nreturn %r : " + type + "\n}");
    return texts.front();
  }
  std::string binary(const std::string &op, const std::string &type,
                     const std::string &a, const std::string &b) {
    return value(type, "%a = arith.constant " + a + " : " + type +
                           "\n%b = arith.constant " + b + " : " + type +
                           "\n%r = " + op + " %a, %b : " + type);
  }
  std::string convert(const std::string &op, const std::string &from,
                      const std::string &a, const std::string &to) {
    return value(to, "%a = arith.constant " + a + " : " + from +
                         "\n%r = " + op + " %a : " + from + " to " + to);
  }
};

TEST_F(Scalars, IntegersWrapAndKnowTheirSign) {
  EXPECT_EQ(binary("arith.addi", "i8", "127", "1"), "i8 [-128]");
  EXPECT_EQ(binary("arith.muli", "i16", "300", "300"), "i16 [24464]");
  EXPECT_EQ(binary("arith.divsi", "i8", "-7", "2"), "i8 [-3]");
  EXPECT_EQ(binary("arith.floordivsi", "i8", "-7", "2"), "i8 [-4]");
  EXPECT_EQ(binary("arith.ceildivsi", "i8", "7", "2"), "i8 [4]");
  EXPECT_EQ(binary("arith.divui", "i8", "-2", "2"), "i8 [127]");
  EXPECT_EQ(binary("arith.remsi", "i32", "-7", "3"), "i32 [-1]");
  EXPECT_EQ(binary("arith.maxui", "i8", "-1", "1"), "i8 [-1]");
  EXPECT_EQ(binary("arith.maxsi", "i8", "-1", "1"), "i8 [1]");
  EXPECT_EQ(binary("arith.shrsi", "i8", "-128", "3"), "i8 [-16]");
  EXPECT_EQ(binary("arith.shrui", "i8", "-128", "3"), "i8 [16]");
  EXPECT_EQ(binary("arith.shli", "i8", "1", "9"), "i8 [0]");
  EXPECT_THAT(binary("arith.divsi", "i32", "1", "0"),
              HasSubstr("divides by zero"));
  EXPECT_THAT(binary("arith.divsi", "i8", "-128", "-1"),
              HasSubstr("overflows"));
}

TEST_F(Scalars, ConversionsRoundOnce) {
  EXPECT_EQ(convert("arith.extsi", "i8", "-1", "i32"), "i32 [-1]");
  EXPECT_EQ(convert("arith.extui", "i8", "-1", "i32"), "i32 [255]");
  EXPECT_EQ(convert("arith.trunci", "i32", "384", "i8"), "i8 [-128]");
  EXPECT_EQ(convert("arith.uitofp", "i8", "-1", "f32"), "f32 [255]");
  EXPECT_EQ(convert("arith.sitofp", "i64", "16777217", "f32"),
            "f32 [1.677722e+07]");
  EXPECT_EQ(convert("arith.fptosi", "f32", "-1.9", "i32"), "i32 [-1]");
  EXPECT_EQ(convert("arith.fptosi", "f32", "3.0e9", "i32"),
            "i32 [-2147483648]");
  EXPECT_EQ(convert("arith.truncf", "f64", "1.00048828125", "f16"), "f16 [1]");
  // Just above the tie: f32 in between would lose it.
  EXPECT_EQ(convert("arith.truncf", "f64", "1.0004882812500002", "f16"),
            "f16 [1.000977]");
  EXPECT_EQ(convert("arith.bitcast", "f32", "1.0", "i32"), "i32 [1065353216]");
  EXPECT_EQ(convert("arith.bitcast", "f16", "1.0", "i16"), "i16 [15360]");
  EXPECT_EQ(convert("arith.bitcast", "i16", "16256", "bf16"), "bf16 [1]");
}

TEST_F(Scalars, FloatsRoundToTheirType) {
  EXPECT_EQ(binary("arith.addf", "f16", "2048.0", "1.0"), "f16 [2048]");
  EXPECT_EQ(binary("arith.addf", "bf16", "256.0", "1.0"), "bf16 [256]");
  EXPECT_EQ(binary("arith.addf", "f32", "16777216.0", "1.0"),
            "f32 [1.677722e+07]");
  EXPECT_EQ(binary("arith.mulf", "f16", "300.0", "300.0"), "f16 [inf]");
  EXPECT_EQ(binary("arith.maximumf", "f32", "0x7FC00000", "1.0"), "f32 [nan]");
  EXPECT_EQ(binary("arith.maxnumf", "f32", "0x7FC00000", "1.0"), "f32 [1]");
  EXPECT_EQ(binary("arith.minimumf", "f32", "0.0", "-0.0"), "f32 [-0]");
}

TEST_F(Scalars, Comparisons) {
  auto compare = [&](const std::string &op, const std::string &type,
                     const std::string &a, const std::string &b) {
    return value("i1", "%a = arith.constant " + a + " : " + type +
                           "\n%b = arith.constant " + b + " : " + type +
                           "\n%r = " + op + ", %a, %b : " + type);
  };
  EXPECT_EQ(compare("arith.cmpi slt", "i8", "-1", "1"), "i1 [1]");
  EXPECT_EQ(compare("arith.cmpi ult", "i8", "-1", "1"), "i1 [0]");
  EXPECT_EQ(compare("arith.cmpf une", "f32", "0x7FC00000", "1.0"), "i1 [1]");
  EXPECT_EQ(compare("arith.cmpf one", "f32", "0x7FC00000", "1.0"), "i1 [0]");
  EXPECT_EQ(compare("arith.cmpf uge", "f64", "1.0", "2.0"), "i1 [0]");
}

TEST_F(Scalars, Math) {
  auto unary = [&](const std::string &op, const std::string &type,
                   const std::string &a) {
    return value(type, "%a = arith.constant " + a + " : " + type +
                           "\n%r = " + op + " %a : " + type);
  };
  EXPECT_EQ(unary("math.exp", "f32", "1.0"), "f32 [2.718282]");
  EXPECT_EQ(unary("math.erf", "f32", "0.5"), "f32 [0.5204999]");
  EXPECT_EQ(unary("math.roundeven", "f32", "2.5"), "f32 [2]");
  EXPECT_EQ(unary("math.round", "f32", "2.5"), "f32 [3]");
  EXPECT_EQ(unary("math.tanh", "f16", "1.0"), "f16 [0.7617188]");
  EXPECT_EQ(unary("math.ctpop", "i8", "-1"), "i8 [8]");
  EXPECT_EQ(unary("math.ctlz", "i8", "1"), "i8 [7]");
  EXPECT_EQ(unary("math.cttz", "i16", "0"), "i16 [16]");
  EXPECT_EQ(unary("math.absi", "i8", "-5"), "i8 [5]");
  EXPECT_EQ(binary("math.powf", "f32", "2.0", "10.0"), "f32 [1024]");
  EXPECT_EQ(binary("math.ipowi", "i32", "-3", "3"), "i32 [-27]");
}
} // namespace
