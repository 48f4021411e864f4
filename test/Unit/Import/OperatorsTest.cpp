// Single operators: what they become, and what they refuse.
#include "OnnxBuilder.h"
#include "nestor/Import/Import.h"
#include "nestor/Support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace nestor;
using namespace nestor::onnx;
using namespace nestor::test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

namespace {

Message text(const std::string &name, const std::string &value) {
  Message m;
  m.text(1, name).text(4, value).varint(20, 3);
  return m;
}

/// The program of one node as text, or "KIND: message".
std::string importNode(Message theNode, std::vector<Message> inputs,
                       int64_t opset = 22,
                       std::vector<Message> initializers = {}) {
  GraphParts parts;
  parts.nodes = {theNode};
  parts.inputs = inputs;
  parts.initializers = initializers;
  parts.outputs = {value("y", {})};
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  ConstantPool pool;
  std::string bytes = model(parts.message(), opset);
  auto module = importOnnx(view(bytes), "", {}, context, pool);
  std::string result;
  llvm::raw_string_ostream os(result);
  if (module) {
    (*module)->print(os);
  } else {
    auto [kind, message] = takeError(module.takeError());
    os << int(kind) << ": " << message;
  }
  return result;
}

/// A constant of equal floats.
Message floats(const std::string &name, std::vector<int64_t> dims,
               float v = 0.5f) {
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= dim;
  return tensor(name, DataType::Float, dims, raw(std::vector<float>(count, v)));
}

/// How often `word` stands in `program`.
size_t countOf(const std::string &program, const std::string &word) {
  return llvm::StringRef(program).count(word);
}

std::string lstm(int64_t steps, std::vector<Message> attributes = {}) {
  return importNode(node("LSTM", {"x", "w", "r"}, {"y"}, attributes),
                    {value("x", {steps, 2, 4})}, 22,
                    {floats("w", {1, 12, 4}), floats("r", {1, 12, 3})});
}

TEST(OperatorsTest, RecurrentNetworksHoistTheProjection) {
  std::string program = lstm(5);
  ASSERT_THAT(program, HasSubstr("scf.for"));
  // One product before the loop, one inside.
  auto [before, inside] = llvm::StringRef(program).split("scf.for");
  EXPECT_EQ(before.count("\"reduction\""), 1u);
  EXPECT_EQ(inside.count("\"reduction\""), 1u);
}

TEST(OperatorsTest, OneStepNeedsNoLoop) {
  EXPECT_THAT(lstm(1),
              AllOf(Not(HasSubstr("scf.for")), Not(HasSubstr("model.loops"))));
}

TEST(OperatorsTest, RecurrentNetworksRefuse) {
  EXPECT_THAT(lstm(5, {text("direction", "sideways")}), StartsWith("4: "));
  EXPECT_THAT(lstm(5, {integer("hidden_size", 7)}), StartsWith("4: "));
  EXPECT_THAT(importNode(node("LSTM", {"x", "w", "r"}, {"y"}),
                         {value("x", {5, 2, 4})}, 22,
                         {floats("w", {1, 12, 4}), floats("r", {1, 12, 4})}),
              StartsWith("4: "));
}

std::string resize(std::vector<float> scales, const std::string &mode,
                   const std::string &coordinates = "asymmetric",
                   const std::string &nearest = "floor") {
  return importNode(
      node("Resize", {"x", "", "s"}, {"y"},
           {text("mode", mode), text("nearest_mode", nearest),
            text("coordinate_transformation_mode", coordinates)}),
      {value("x", {1, 3, -1, 8})}, 22,
      {tensor("s", DataType::Float, {int64_t(scales.size())}, raw(scales))});
}

TEST(OperatorsTest, WholeEnlargementsAreBroadcasts) {
  EXPECT_THAT(resize({1, 1, 2, 2}, "nearest"),
              AllOf(HasSubstr("x8x2x"), Not(HasSubstr("tensor.extract"))));
  EXPECT_THAT(
      resize({1, 1, 2, 2}, "nearest", "half_pixel", "round_prefer_floor"),
      Not(HasSubstr("tensor.extract")));
  EXPECT_THAT(resize({1, 1, 2, 2}, "nearest", "half_pixel", "ceil"),
              HasSubstr("tensor.extract"));
  EXPECT_THAT(resize({1, 1, 1.5, 2}, "nearest"), HasSubstr("tensor.extract"));
}

TEST(OperatorsTest, ResizeRefuses) {
  EXPECT_THAT(resize({1, 1, 2}, "nearest"), StartsWith("4: "));
  EXPECT_THAT(resize({1, 1, -2, 2}, "nearest"), StartsWith("4: "));
  EXPECT_THAT(resize({1, 1, 2, 2}, "quartic"), StartsWith("4: "));
  EXPECT_THAT(importNode(node("Resize", {"x"}, {"y"}), {value("x", {1, 2})}),
              StartsWith("4: "));
}

TEST(OperatorsTest, IntegerProductsReadBytes) {
  Message a = value("a", {-1, 8}, DataType::UInt8),
          b = value("b", {8, 4}, DataType::Int8);
  std::string plain =
      importNode(node("MatMulInteger", {"a", "b"}, {"y"}), {a, b});
  EXPECT_EQ(countOf(plain, "\"reduction\""), 1u);
  EXPECT_THAT(plain, AllOf(HasSubstr("arith.extui"), HasSubstr("arith.extsi")));
  // A zero point of 0 costs nothing, another one the columns' sums.
  auto shifted = [&](uint8_t zero) {
    return importNode(
        node("MatMulInteger", {"a", "b", "z"}, {"y"}), {a, b}, 22,
        {tensor("z", DataType::UInt8, {}, raw(std::vector<uint8_t>{zero}))});
  };
  EXPECT_EQ(countOf(shifted(0), "\"reduction\""), 1u);
  EXPECT_EQ(countOf(shifted(3), "\"reduction\""), 2u);
  EXPECT_THAT(importNode(node("MatMulInteger", {"a", "a"}, {"y"}),
                         {value("a", {8, 8})}),
              StartsWith("4: "));
}

TEST(OperatorsTest, QuantisingRefusesWhatDoesNotFit) {
  Message x = value("x", {2, 3});
  EXPECT_THAT(importNode(node("QuantizeLinear", {"x", "s"}, {"y"}), {x}, 22,
                         {floats("s", {2})}),
              StartsWith("4: "));
  EXPECT_THAT(importNode(node("QuantizeLinear", {"x", "s", "z"}, {"y"}), {x},
                         22, {floats("s", {}), floats("z", {})}),
              Not(StartsWith("1: ")));
}

TEST(OperatorsTest, DataDependentSizesAreReadOnce) {
  EXPECT_THAT(importNode(node("NonZero", {"x"}, {"y"}), {value("x", {3, -1})}),
              AllOf(HasSubstr("model.loops"), HasSubstr("tensor.extract"),
                    HasSubstr("tensor<2x?xi64>")));
}

TEST(OperatorsTest, TopKChecksK) {
  auto topk = [](int64_t k) {
    return importNode(
        node("TopK", {"x", "k"}, {"y"}), {value("x", {4})}, 22,
        {tensor("k", DataType::Int64, {1}, raw(std::vector<int64_t>{k}))});
  };
  EXPECT_THAT(topk(3), HasSubstr("tensor<3xf32>"));
  EXPECT_THAT(topk(5), StartsWith("4: "));
  EXPECT_THAT(topk(-1), StartsWith("4: "));
}

TEST(OperatorsTest, EinsumReadsEquations) {
  auto einsum = [](const std::string &equation) {
    return importNode(
        node("Einsum", {"a", "b"}, {"y"}, {text("equation", equation)}),
        {value("a", {2, 3}), value("b", {3, 4})});
  };
  EXPECT_THAT(einsum("ij,jk->ik"), HasSubstr("-> (tensor<2x4xf32>"));
  EXPECT_THAT(einsum("ij , jk"), HasSubstr("-> (tensor<2x4xf32>"));
  EXPECT_THAT(einsum("...j,jk->k..."), HasSubstr("-> (tensor<4x2xf32>"));
  for (const char *wrong : {"ij->ij", "ijk,jk->ik", "ij,jk->iz", "ij,jk->ii",
                            "ij,ik->jk", "i.j,jk->ik", ""})
    EXPECT_THAT(einsum(wrong), StartsWith("4: ")) << wrong;
}

TEST(OperatorsTest, AttentionSharesKeyHeads) {
  std::string program =
      importNode(node("Attention", {"q", "k", "v"}, {"y"}),
                 {value("q", {1, 8, 5, 16}), value("k", {1, 2, 7, 16}),
                  value("v", {1, 2, 7, 16})},
                 23);
  // Two products, a maximum and a sum; K is not repeated.
  EXPECT_EQ(countOf(program, "\"reduction\""), 4u);
  EXPECT_THAT(program, Not(HasSubstr("tensor<1x8x7x16xf32>")));
  EXPECT_THAT(importNode(node("Attention", {"q", "k", "v"}, {"y"}),
                         {value("q", {1, 5, 16}), value("k", {1, 7, 16}),
                          value("v", {1, 7, 16})},
                         23),
              StartsWith("4: "));
}

TEST(OperatorsTest, IndicesOfDataStayInRange) {
  std::string program = importNode(
      node("ScatterElements", {"x", "i", "u"}, {"y"}),
      {value("x", {4}), value("i", {2}, DataType::Int64), value("u", {2})});
  EXPECT_THAT(program,
              AllOf(HasSubstr("arith.minsi"), HasSubstr("arith.maxsi")));
  EXPECT_THAT(importNode(node("ScatterElements", {"x", "i", "u"}, {"y"},
                              {text("reduction", "xor")}),
                         {value("x", {4}), value("i", {2}, DataType::Int64),
                          value("u", {2})}),
              StartsWith("4: "));
}

} // namespace
