//===- PipelineTest.cpp - From tensor program to native numbers -----------===//
//
// Whole compilations of small tensor programs: native code must agree with the
// interpreter run on the same program as it was imported.
//
//===----------------------------------------------------------------------===//
#include "nestor/Pipeline/Pipeline.h"
#include "nestor/Interp/Interp.h"
#include "nestor/Pipeline/Dialects.h"
#include "nestor/Runtime/Instance.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

#include <gtest/gtest.h>

#include <random>

using namespace nestor;

namespace {
std::string errorText(llvm::Error error) {
  return takeError(std::move(error)).second;
}

class PipelineTest : public ::testing::Test {
protected:
  /// Compiles `text`, runs it on float inputs of these dims and compares with
  /// the interpreter. Data are small integers, so results are exact.
  void check(llvm::StringRef text,
             std::vector<std::vector<int64_t>> inputDims) {
    llvm::SmallString<128> path;
    int fd;
    ASSERT_FALSE(
        llvm::sys::fs::createTemporaryFile("nestor", "mlir", fd, path));
    {
      llvm::raw_fd_ostream file(fd, true);
      file << text;
    }
    auto model = compileFile(path, CompileOptions());
    llvm::sys::fs::remove(path);
    ASSERT_TRUE(bool(model)) << errorText(model.takeError());
    auto program = loadModel(*model);
    ASSERT_TRUE(bool(program)) << errorText(program.takeError());
    std::unique_ptr<rt::Instance> instance;
    ASSERT_TRUE(rt::Instance::create(*program, {}, instance).ok());

    std::mt19937 random(1);
    std::vector<std::vector<float>> data;
    std::vector<nst_tensor> inputs;
    std::vector<HostTensor> interpInputs;
    mlir::DialectRegistry registry;
    registerDialects(registry);
    mlir::MLIRContext context(registry);
    context.loadAllAvailableDialects();
    auto module = mlir::parseSourceString<mlir::ModuleOp>(
        text, mlir::ParserConfig(&context));
    for (const std::vector<int64_t> &dims : inputDims) {
      int64_t n = 1;
      for (int64_t dim : dims)
        n *= dim;
      std::vector<float> &values = data.emplace_back(n);
      for (float &v : values)
        v = static_cast<float>(static_cast<int>(random() % 9) - 4);
      HostTensor tensor;
      tensor.elementType = mlir::Float32Type::get(&context);
      tensor.dims.assign(dims.begin(), dims.end());
      tensor.bytes.resize(n * 4);
      std::memcpy(tensor.bytes.data(), values.data(), n * 4);
      interpInputs.push_back(tensor);
    }
    for (size_t i = 0; i < data.size(); ++i)
      inputs.push_back({data[i].data(), inputDims[i].data(),
                        static_cast<int32_t>(inputDims[i].size()), NST_F32});
    rt::Status status = instance->run(inputs);
    ASSERT_TRUE(status.ok()) << status.message;

    ConstantPool pool;
    auto expected = Interp::run(*module, "main", interpInputs, pool);
    ASSERT_TRUE(bool(expected)) << errorText(expected.takeError());
    for (size_t i = 0; i < expected->size(); ++i) {
      nst_tensor out = instance->output(i);
      const HostTensor &want = (*expected)[i];
      ASSERT_EQ(out.rank, static_cast<int32_t>(want.dims.size()));
      int64_t n = 1;
      for (int32_t d = 0; d < out.rank; ++d) {
        EXPECT_EQ(out.dims[d], want.dims[d]);
        n *= want.dims[d];
      }
      for (int64_t k = 0; k < n; ++k)
        ASSERT_EQ(static_cast<float *>(out.data)[k],
                  reinterpret_cast<const float *>(want.bytes.data())[k])
            << "output " << i << " element " << k;
    }
  }
};
} // namespace

/// A reduction over nothing is its starting value, whether the schedule leaves
/// the init in the block (sums) or not, and whatever follows in the kernel.
TEST_F(PipelineTest, ReductionsOfAnySizeEvenZero) {
  const char *text = R"(
func.func @main(%x: tensor<3x?xf32> {model.name = "x", model.dims = [3, "n"]})
    -> (tensor<3xf32> {model.name = "y", model.dims = [3]},
        tensor<?xf32> {model.name = "z", model.dims = ["n"]}) {
  %c1 = arith.constant 1 : index
  %start = arith.constant 5.0 : f32
  %n = tensor.dim %x, %c1 : tensor<3x?xf32>
  %e = tensor.empty() : tensor<3xf32>
  %f = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>],
      iterator_types = ["parallel"]} outs(%e : tensor<3xf32>) {
  ^bb0(%o: f32):
    linalg.yield %start : f32
  } -> tensor<3xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x?xf32>) outs(%f : tensor<3xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %s = arith.addf %acc, %a : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
      iterator_types = ["parallel"]} ins(%m : tensor<3xf32>) outs(%e : tensor<3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %start : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  %ez = tensor.empty(%n) : tensor<?xf32>
  %fz = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>],
      iterator_types = ["parallel"]} outs(%ez : tensor<?xf32>) {
  ^bb0(%o: f32):
    linalg.yield %start : f32
  } -> tensor<?xf32>
  %z = linalg.generic {indexing_maps = [affine_map<(j, i) -> (i, j)>, affine_map<(j, i) -> (j)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x?xf32>) outs(%fz : tensor<?xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %s = arith.addf %acc, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %r, %z : tensor<3xf32>, tensor<?xf32>
})";
  for (int64_t n : {0, 1, 7, 64})
    check(text, {{3, n}});
}

TEST_F(PipelineTest, MatmulBiasReluOfAnyNumberOfRows) {
  const char *text = R"(
func.func @main(%x: tensor<?x24xf32> {model.name = "x", model.dims = ["n", 24]},
                %w: tensor<24x40xf32> {model.name = "w"}, %b: tensor<40xf32> {model.name = "b"})
    -> (tensor<?x40xf32> {model.name = "y", model.dims = ["n", 40]}) {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x24xf32>
  %e = tensor.empty(%n) : tensor<?x40xf32>
  %f = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>],
      iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x40xf32>) {
  ^bb0(%o: f32):
    linalg.yield %z : f32
  } -> tensor<?x40xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j, k) -> (i, k)>,
      affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x24xf32>, tensor<24x40xf32>) outs(%f : tensor<?x40xf32>) {
  ^bb0(%a: f32, %c: f32, %acc: f32):
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x40xf32>
  %e2 = tensor.empty(%n) : tensor<?x40xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
      affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%m, %b : tensor<?x40xf32>, tensor<40xf32>) outs(%e2 : tensor<?x40xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    %t = arith.maximumf %s, %z : f32
    linalg.yield %t : f32
  } -> tensor<?x40xf32>
  return %r : tensor<?x40xf32>
})";
  for (int64_t n : {1, 2, 7, 64})
    check(text, {{n, 24}, {24, 40}, {40}});
}
