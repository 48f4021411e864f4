// Whole imports of models built in the test: what the program looks like, and
// with which kind and words a wrong model is refused.
#include "nestor/Import/Import.h"
#include "OnnxBuilder.h"
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

namespace {

class ImportTest : public testing::Test {
protected:
  /// The program as text, or "KIND: message".
  std::string import(const std::string &bytes) {
    ConstantPool pool;
    auto module = importOnnx(view(bytes), "", options, context, pool);
    std::string text;
    llvm::raw_string_ostream os(text);
    if (module) {
      (*module)->print(os);
    } else {
      auto [kind, message] = takeError(module.takeError());
      os << int(kind) << ": " << message;
    }
    return text;
  }
  std::string import(const GraphParts &parts, int64_t opset = 17) {
    return import(model(parts.message(), opset));
  }
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  ImportOptions options;
};

GraphParts one(Message theNode, std::vector<Message> inputs) {
  GraphParts parts;
  parts.nodes = {theNode};
  parts.inputs = inputs;
  parts.outputs = {value("y", {})};
  return parts;
}

Message int64s(const std::string &name, std::vector<int64_t> values) {
  return tensor(name, DataType::Int64, {int64_t(values.size())}, raw(values));
}

TEST_F(ImportTest, TheSignatureIsNamed) {
  EXPECT_THAT(
      import(one(node("Relu", {"x"}, {"y"}), {value("x", {-1, 3})})),
      AllOf(HasSubstr("%arg0: tensor<?x3xf32> {model.dims = [\"n\", 3],"
                      " model.dtype = \"float32\", model.name = \"x\"}"),
            HasSubstr("-> (tensor<?x3xf32> {model.dims = [\"n\", 3]")));
}

TEST_F(ImportTest, SymbolsCanBeGiven) {
  options.symbols["n"] = 8;
  EXPECT_THAT(import(one(node("Relu", {"x"}, {"y"}), {value("x", {-1, 3})})),
              HasSubstr("%arg0: tensor<8x3xf32>"));
}

TEST_F(ImportTest, EqualSymbolsNeedNoCheck) {
  EXPECT_THAT(import(one(node("Add", {"a", "b"}, {"y"}),
                         {value("a", {-1}), value("b", {-1})})),
              Not(HasSubstr("model.check")));
}

TEST_F(ImportTest, ShapesAreComputedWhileImporting) {
  GraphParts parts;
  parts.nodes = {node("Shape", {"x"}, {"s"}),
                 node("Gather", {"s", "zero"}, {"n"}),
                 node("Concat", {"n", "rest"}, {"t"}, {integer("axis", 0)}),
                 node("Reshape", {"x", "t"}, {"y"})};
  parts.inputs = {value("x", {-1, 4, 6})};
  parts.initializers = {int64s("zero", {0}), int64s("rest", {-1})};
  parts.outputs = {value("y", {})};
  std::string text = import(parts);
  EXPECT_THAT(text, AllOf(HasSubstr("tensor<?x4x6xf32> -> tensor<?x24xf32>"),
                          Not(HasSubstr("linalg")), Not(HasSubstr("check"))));
}

TEST_F(ImportTest, ConvolutionIsOneReduction) {
  std::string text = import(
      one(node("Conv", {"x", "w"}, {"y"}, {integers("pads", {1, 1, 1, 1})}),
          {value("x", {-1, 8, 10, 10}), value("w", {16, 8, 3, 3})}));
  EXPECT_THAT(text, AllOf(HasSubstr("(d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, "
                                    "d2 + d5, d3 + d6)"),
                          HasSubstr("tensor<?x16x10x10xf32>")));
}

TEST_F(ImportTest, KnownConditionsLeaveOneBranch) {
  auto branch = [](const std::string &op, const std::string &name) {
    GraphParts parts;
    parts.nodes = {node(op, {"x"}, {name})};
    parts.outputs = {value(name, {4})};
    Message attribute;
    attribute.text(1, op == "Exp" ? "then_branch" : "else_branch");
    attribute.sub(6, parts.message()).varint(20, 5);
    return attribute;
  };
  GraphParts parts;
  parts.nodes = {
      node("If", {"c"}, {"y"}, {branch("Exp", "p"), branch("Log", "q")})};
  parts.inputs = {value("x", {4})};
  parts.outputs = {value("y", {4})};
  GraphParts known = parts;
  known.initializers = {tensor("c", DataType::Bool, {}, std::string(1, 1))};
  EXPECT_THAT(import(known),
              AllOf(HasSubstr("math.exp"), Not(HasSubstr("math.log")),
                    Not(HasSubstr("scf.if"))));
  parts.inputs.push_back(value("c", {}, DataType::Bool));
  EXPECT_THAT(import(parts), AllOf(HasSubstr("math.exp"), HasSubstr("math.log"),
                                   HasSubstr("scf.if")));
}

TEST_F(ImportTest, AllUnsupportedNodesAreNamed) {
  GraphParts parts;
  parts.nodes = {node("Foo", {"x"}, {"a"}), node("Relu", {"a"}, {"b"}),
                 node("Bar", {"b"}, {"y"})};
  parts.inputs = {value("x", {2})};
  parts.outputs = {value("y", {2})};
  EXPECT_THAT(import(parts), AllOf(HasSubstr("5: 2 nodes"), HasSubstr("Foo"),
                                   HasSubstr("Bar"), HasSubstr("float32[2]")));
}

TEST_F(ImportTest, DeadNodesAreSkipped) {
  GraphParts parts = one(node("Relu", {"x"}, {"y"}), {value("x", {2})});
  parts.nodes.push_back(node("Foo", {"x"}, {"z"}));
  EXPECT_THAT(import(parts), HasSubstr("func.func @main"));
}

TEST_F(ImportTest, OpsetsOutOfRangeAreRefused) {
  GraphParts parts = one(node("Relu", {"x"}, {"y"}), {value("x", {2})});
  EXPECT_THAT(import(parts, 5), HasSubstr("5: opset 5 is too old"));
  EXPECT_THAT(import(parts, 999), HasSubstr("5: opset 999"));
  EXPECT_THAT(import(parts, 0), HasSubstr("4: opset version 0"));
}

TEST_F(ImportTest, GraphsOutOfOrderAreMalformed) {
  GraphParts parts;
  parts.nodes = {node("Add", {"x", "b"}, {"a"}), node("Relu", {"a"}, {"b"})};
  parts.inputs = {value("x", {2})};
  parts.outputs = {value("b", {2})};
  EXPECT_THAT(import(parts),
              HasSubstr("4: Add node making 'a' reads 'b', which "
                        "only a later node makes"));
}

TEST_F(ImportTest, NamesMayNotRepeat) {
  GraphParts parts;
  parts.nodes = {node("Relu", {"x"}, {"y"}), node("Exp", {"x"}, {"y"})};
  parts.inputs = {value("x", {2})};
  parts.outputs = {value("y", {2})};
  EXPECT_THAT(import(parts), HasSubstr("4: two things are named 'y'"));
}

struct Refusal {
  std::string what;
  Message theNode;
  std::vector<Message> inputs;
  std::string words;
};

TEST_F(ImportTest, WrongAttributesAndShapesAreMalformed) {
  auto x = value("x", {2, 3}), image = value("x", {1, 4, 5, 5});
  const Refusal cases[] = {
      {"shapes",
       node("Add", {"x", "b"}, {"y"}),
       {x, value("b", {4})},
       "do not broadcast"},
      {"inner",
       node("MatMul", {"x", "b"}, {"y"}),
       {x, value("b", {4, 2})},
       "inner sizes"},
      {"axis",
       node("Softmax", {"x"}, {"y"}, {integer("axis", 2)}),
       {x},
       "axis 2 is outside"},
      {"perm",
       node("Transpose", {"x"}, {"y"}, {integers("perm", {0, 0})}),
       {x},
       "given twice"},
      {"stride",
       node("Conv", {"x", "w"}, {"y"}, {integers("strides", {0, 1})}),
       {image, value("w", {2, 4, 3, 3})},
       "'strides' holds 0"},
      {"kernel",
       node("Conv", {"x", "w"}, {"y"}),
       {image, value("w", {2, 4, 7, 7})},
       "larger than the padded input"},
      {"group",
       node("Conv", {"x", "w"}, {"y"}, {integer("group", 3)}),
       {image, value("w", {2, 4, 3, 3})},
       "groups do not divide"},
      {"kind",
       node("Flatten", {"x"}, {"y"}, {integers("axis", {1})}),
       {x},
       "wrong type"},
      {"missing", node("Concat", {"x"}, {"y"}), {x}, "'axis' is missing"},
      {"cast",
       node("Cast", {"x"}, {"y"}, {integer("to", 99)}),
       {x},
       "unknown type 99"},
      {"input", node("Relu", {""}, {"y"}), {x}, "input 0 is missing"},
  };
  for (const Refusal &refusal : cases)
    EXPECT_THAT(import(one(refusal.theNode, refusal.inputs)),
                AllOf(HasSubstr("4: "), HasSubstr(refusal.words)))
        << refusal.what;
}

TEST_F(ImportTest, HugeResultsAreNotMade) {
  GraphParts parts = one(node("ConstantOfShape", {"s"}, {"y"}), {});
  parts.initializers = {int64s("s", {int64_t(1) << 62, int64_t(1) << 62})};
  EXPECT_THAT(import(parts), HasSubstr("4: "));
}

TEST_F(ImportTest, FunctionsThatCallThemselvesAreRefused) {
  Message f, opset, m, version;
  opset.text(1, "own").varint(2, 1);
  f.text(1, "F").text(4, "a").text(5, "b").text(10, "own").sub(9, opset);
  Message call = node("F", {"a"}, {"b"});
  call.text(7, "own");
  f.sub(7, call);
  Message start = node("F", {"x"}, {"y"});
  start.text(7, "own");
  version.varint(2, 17);
  m.varint(1, 8).sub(7, one(start, {value("x", {2})}).message());
  m.sub(8, version).sub(8, opset).sub(25, f);
  EXPECT_THAT(import(m.bytes), HasSubstr("4: own.F"));
}

} // namespace
