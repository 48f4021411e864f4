// The tensor level: linalg, model and tensor operations, control flow.
#include "InterpTestBase.h"

using namespace nestor;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {
class TensorLevel : public InterpTest {};

TEST_F(TensorLevel, MatmulReluOfDynamicSize) {
  const char *text = R"(
func.func @main(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %m = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32>
  %e2 = tensor.empty(%n) : tensor<?x2xf32>
  %r = linalg.generic {
      indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
      iterator_types = ["parallel", "parallel"]} ins(%m : tensor<?x2xf32>) outs(%e2 : tensor<?x2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %y = arith.maximumf %a, %zero : f32
      linalg.yield %y : f32
  } -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
})";
  HostTensor w = floats({2, 2}, {1, -1, 2, 1});
  EXPECT_THAT(show(text, {floats({1, 2}, {3, 4}), w}),
              ElementsAre("1x2xf32 [11, 1]"));
  EXPECT_THAT(show(text, {floats({2, 2}, {3, 4, -1, 0}), w}),
              ElementsAre("2x2xf32 [11, 1, 0, 1]"));
  EXPECT_THAT(show(text, {floats({0, 2}, {}), w}), ElementsAre("0x2xf32 []"));
  EXPECT_THAT(error(text, {floats({1, 3}, {3, 4, 5}), w}),
              HasSubstr("input 0 must be tensor<?x2xf32>, got 1x3xf32"));
  EXPECT_EQ(lastKind, ErrorKind::Usage);
}

TEST_F(TensorLevel, ConvolutionWindowByAMap) {
  EXPECT_THAT(
      show(R"(
func.func @main(%x: tensor<6xf32>, %w: tensor<3xf32>) -> tensor<2xf32> {
  %e = arith.constant dense<0.5> : tensor<2xf32>
  %m = linalg.generic {
      indexing_maps = [affine_map<(o, k) -> (o * 2 + k)>, affine_map<(o, k) -> (k)>, affine_map<(o, k) -> (o)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%x, %w : tensor<6xf32>, tensor<3xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
  } -> tensor<2xf32>
  return %m : tensor<2xf32>
})",
           {floats({6}, {1, 2, 3, 4, 5, 6}), floats({3}, {1, 10, 100})}),
      ElementsAre("2xf32 [321.5, 543.5]"));
}

TEST_F(TensorLevel, GatherByExtractAndIndex) {
  const char *text = R"(
func.func @main(%x: tensor<?xf32>, %at: tensor<3xi64>) -> tensor<3xf32> {
  %e = tensor.empty() : tensor<3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%e : tensor<3xf32>) {
    ^bb0(%o: f32):
      %i = linalg.index 0 : index
      %n = tensor.extract %at[%i] : tensor<3xi64>
      %p = arith.index_cast %n : i64 to index
      %v = tensor.extract %x[%p] : tensor<?xf32>
      linalg.yield %v : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
})";
  HostTensor x = floats({4}, {10, 11, 12, 13});
  EXPECT_THAT(show(text, {x, HostTensor::of<int64_t>(i64(), {3}, {3, 0, 2})}),
              ElementsAre("3xf32 [13, 10, 12]"));
  EXPECT_THAT(error(text, {x, HostTensor::of<int64_t>(i64(), {3}, {3, 4, 2})}),
              HasSubstr("index [4] is outside a buffer of dims [4]"));
}

TEST_F(TensorLevel, FindsAReadOfAnEmptyTensor) {
  EXPECT_THAT(error(R"(
func.func @main() -> tensor<2xf32> {
  %e = tensor.empty() : tensor<2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%e : tensor<2xf32>) {
    ^bb0(%o: f32):
      %s = arith.addf %o, %o : f32
      linalg.yield %s : f32
  } -> tensor<2xf32>
  return %r : tensor<2xf32>
})"),
              HasSubstr("linalg.generic"));
  EXPECT_THAT(error(R"(
func.func @main() -> tensor<2xf32> {
  %e = tensor.empty() : tensor<2xf32>
  return %e : tensor<2xf32>
})"),
              HasSubstr("result 0 of 'main': element [0] was never written"));
}

TEST_F(TensorLevel, FindsExtentsThatDisagree) {
  EXPECT_THAT(error(R"(
func.func @main(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<?xf32>) outs(%b : tensor<?xf32>) {
    ^bb0(%x: f32, %o: f32):
      linalg.yield %x : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
})",
                    {floats({2}, {1, 2}), floats({3}, {1, 2, 3})}),
              HasSubstr("loop 0 has the extents 2 and 3"));
}

TEST_F(TensorLevel, LoopsAsPrefixSum) {
  EXPECT_THAT(show(R"(
func.func @main(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c1 : tensor<2x?xf32>
  %e = tensor.empty(%n) : tensor<2x?xf32>
  %r = model.loops ins(%x : tensor<2x?xf32>) outs(%e : tensor<2x?xf32>)
      extents(%c2, %n) iterators [0, 2] {
    ^bb0(%i: index, %j: index, %X: memref<2x?xf32>, %R: memref<2x?xf32>):
      %a = memref.load %X[%i, %j] : memref<2x?xf32>
      %first = arith.cmpi eq, %j, %c0 : index
      %v = scf.if %first -> f32 {
        scf.yield %a : f32
      } else {
        %p = arith.subi %j, %c1 : index
        %b = memref.load %R[%i, %p] : memref<2x?xf32>
        %s = arith.addf %a, %b : f32
        scf.yield %s : f32
      }
      memref.store %v, %R[%i, %j] : memref<2x?xf32>
      model.yield
  } -> tensor<2x?xf32>
  return %r : tensor<2x?xf32>
})",
                   {floats({2, 3}, {1, 2, 3, 4, 5, 6})}),
              ElementsAre("2x3xf32 [1, 3, 6, 4, 9, 15]"));
}

TEST_F(TensorLevel, ForAndWhileCarryTensors) {
  EXPECT_THAT(show(R"(
func.func @main(%x: tensor<2xf32>) -> (tensor<2xf32>, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %limit = arith.constant 50.0 : f32
  %t, %u = scf.for %i = %c0 to %c3 step %c1 iter_args(%a = %x, %b = %x) -> (tensor<2xf32>, tensor<2xf32>) {
    %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
        ins(%a : tensor<2xf32>) outs(%b : tensor<2xf32>) {
      ^bb0(%p: f32, %q: f32):
        %s = arith.addf %p, %q : f32
        linalg.yield %s : f32
    } -> tensor<2xf32>
    scf.yield %b, %r : tensor<2xf32>, tensor<2xf32>
  }
  %w:2 = scf.while (%v = %u, %n = %c0) : (tensor<2xf32>, index) -> (tensor<2xf32>, index) {
    %e = tensor.extract %v[%c0] : tensor<2xf32>
    %go = arith.cmpf olt, %e, %limit : f32
    scf.condition(%go) %v, %n : tensor<2xf32>, index
  } do {
  ^bb0(%v: tensor<2xf32>, %n: index):
    %e = tensor.extract %v[%c0] : tensor<2xf32>
    %d = arith.addf %e, %e : f32
    %i = tensor.insert %d into %v[%c0] : tensor<2xf32>
    %m = arith.addi %n, %c1 : index
    scf.yield %i, %m : tensor<2xf32>, index
  }
  return %w#0, %w#1 : tensor<2xf32>, index
})",
                   {floats({2}, {1, 2})}),
              // x = 1: (1, 1) -> (1, 2) -> (2, 3) -> (3, 5), then 5 * 2^4.
              ElementsAre("2xf32 [80, 10]", "index [4]"));
}

TEST_F(TensorLevel, ConcatReshapeSlicesAndConstants) {
  std::vector<uint8_t> bytes(8);
  float values[2] = {7, 8};
  std::memcpy(bytes.data(), values, 8);
  std::string key = pool.addOwned(bytes);
  EXPECT_THAT(show(R"(
func.func @main(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?xf32>, tensor<2xf32>, tensor<?x2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?x2xf32>
  %w = model.constant ")" +
                       key + R"(" : tensor<2xf32>
  %v = model.reshape %w : tensor<2xf32> -> tensor<1x2xf32>
  %t = tensor.concat dim(0) %x, %v : (tensor<?x2xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %m = tensor.dim %t, %c0 : tensor<?x2xf32>
  %k = arith.muli %m, %c2 : index
  %f = model.reshape %t [%k] : tensor<?x2xf32> -> tensor<?xf32>
  %s = tensor.extract_slice %t[%n, 0] [1, 2] [1, 1] : tensor<?x2xf32> to tensor<2xf32>
  %i = tensor.insert_slice %w into %t[0, 0] [1, 2] [1, 1] : tensor<2xf32> into tensor<?x2xf32>
  return %t, %f, %s, %i : tensor<?x2xf32>, tensor<?xf32>, tensor<2xf32>, tensor<?x2xf32>
})",
                   {floats({2, 2}, {1, 2, 3, 4})}),
              ElementsAre("3x2xf32 [1, 2, 3, 4, 7, 8]",
                          "6xf32 [1, 2, 3, 4, 7, 8]", "2xf32 [7, 8]",
                          "3x2xf32 [7, 8, 3, 4, 7, 8]"));
}

TEST_F(TensorLevel, ChecksEndTheRun) {
  const char *text = R"(
func.func @main(%x: tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c3 = arith.constant 3 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %ok = arith.cmpi eq, %n, %c3 : index
  model.check %ok, "x must have 3 elements"
  return
})";
  EXPECT_EQ(error(text, {floats({3}, {1, 2, 3})}), "no error");
  EXPECT_THAT(error(text, {floats({1}, {1})}),
              HasSubstr("x must have 3 elements"));
  EXPECT_EQ(lastKind, ErrorKind::RunTime);
  EXPECT_THAT(error(R"(
func.func @main(%x: tensor<?xf32>) -> tensor<?x2xf32> {
  %c2 = arith.constant 2 : index
  %r = model.reshape %x [%c2] : tensor<?xf32> -> tensor<?x2xf32>
  return %r : tensor<?x2xf32>
})",
                    {floats({3}, {1, 2, 3})}),
              HasSubstr("do not have as many elements"));
}

TEST_F(TensorLevel, UnknownOperationsAreRefusedBeforeTheRun) {
  EXPECT_THAT(error("func.func @main() { %x = ub.poison : f32 return }"),
              testing::_);
  EXPECT_THAT(error(R"(
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = arith.addf %x, %x : tensor<2xf32>
  return %y : tensor<2xf32>
})",
                    {floats({2}, {1, 2})}),
              HasSubstr("it runs on scalars only"));
  EXPECT_EQ(lastKind, ErrorKind::Unsupported);
}

TEST_F(TensorLevel, StopsEndlessLoops) {
  options.maxSteps = 1000;
  EXPECT_THAT(error(R"(
func.func @main() {
  %t = arith.constant true
  scf.while : () -> () {
    scf.condition(%t)
  } do {
    scf.yield
  }
  return
})"),
              HasSubstr("more than 1000 steps"));
  EXPECT_EQ(lastKind, ErrorKind::Budget);
}

TEST_F(TensorLevel, RefusesHugeTensors) {
  EXPECT_THAT(error(R"(
func.func @main() -> tensor<?x?xf32> {
  %n = arith.constant 4611686018427387904 : index
  %e = tensor.empty(%n, %n) : tensor<?x?xf32>
  return %e : tensor<?x?xf32>
})"),
              HasSubstr("would need a buffer of dims"));
  EXPECT_EQ(lastKind, ErrorKind::Budget);
}
} // namespace
