// The nest level, run literally.
#include "InterpTestBase.h"

using namespace nestor;
using testing::HasSubstr;

namespace {
class NestLevel : public InterpTest {};

/// A tiled matmul whose last tile is cut off by a predicate.
constexpr const char *kMatmul = R"(
nest.func @matmul(%A: memref<?x3xf32>, %B: memref<3x2xf32>, %C: memref<?x2xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0, 3)>, affine_map<()[s0] -> (3, 2)>, affine_map<()[s0] -> (s0, 2)>]} {
  nest.for %i = 0 to symbol(%n) ceildiv 4 {
    nest.for %ii = 0 to 4 {
      nest.for %j = 0 to 2 {
        nest.for %k = 0 to 3 {
          nest.block "C" (%vi : spatial = %i * 4 + %ii to symbol(%n), %vj : spatial = %j to 2, %vk : reduce = %k to 3)
              where (symbol(%n) - 1 - %i * 4 - %ii >= 0) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<?x2xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<?x3xf32>
            %b = memref.load %B[%vk, %vj] : memref<3x2xf32>
            %c = memref.load %C[%vi, %vj] : memref<?x2xf32>
            %m = arith.mulf %a, %b : f32
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vi, %vj] : memref<?x2xf32>
          }
        }
      }
    }
  }
}
)";

TEST_F(NestLevel, MatmulWithInitAndPredicateTail) {
  for (int64_t n : {1, 4, 6}) {
    std::vector<HostTensor> buffers = {
        randomTensor(f32(), {n, 3}, 1, -3, 3, true),
        randomTensor(f32(), {3, 2}, 2, -3, 3, true), unset({n, 2})};
    ASSERT_EQ(runKernel(kMatmul, buffers, {n}), "");
    std::vector<float> a = buffers[0].as<float>(), b = buffers[1].as<float>(),
                       c = buffers[2].as<float>();
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < 2; ++j) {
        float want = 0;
        for (int64_t k = 0; k < 3; ++k)
          want += a[i * 3 + k] * b[k * 2 + j];
        EXPECT_EQ(c[i * 2 + j], want);
      }
  }
}

TEST_F(NestLevel, RefusesDimsThatDisagreeWithSizes) {
  std::vector<HostTensor> buffers = {unset({5, 3}), unset({3, 2}),
                                     unset({5, 2})};
  EXPECT_THAT(runKernel(kMatmul, buffers, {6}),
              HasSubstr("must have dims [6, 3], got [5, 3]"));
  EXPECT_EQ(lastKind, ErrorKind::Usage);
}

TEST_F(NestLevel, PrefixSumByAnOrderedIterator) {
  std::vector<HostTensor> buffers = {floats({5}, {1, 2, 3, 4, 5}), unset({5})};
  ASSERT_EQ(runKernel(R"(
nest.func @scan(%A: memref<5xf32>, %B: memref<5xf32>) {
  nest.for %i = 0 to 5 {
    nest.block "B" (%v : ordered = %i to 5) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %a = memref.load %A[%v] : memref<5xf32>
      %first = arith.cmpi eq, %v, %c0 : index
      %r = scf.if %first -> f32 {
        scf.yield %a : f32
      } else {
        %p = arith.subi %v, %c1 : index
        %b = memref.load %B[%p] : memref<5xf32>
        %s = arith.addf %a, %b : f32
        scf.yield %s : f32
      }
      memref.store %r, %B[%v] : memref<5xf32>
    }
  }
})",
                      buffers),
            "");
  EXPECT_THAT(buffers[1].as<float>(), testing::ElementsAre(1, 3, 6, 10, 15));
}

TEST_F(NestLevel, BoundsTakeTheMaximumAndTheMinimum) {
  // Lower triangle of a 4x4 block cut off at row 3.
  std::vector<HostTensor> buffers = {floats({4, 4}, std::vector<float>(16, 0))};
  ASSERT_EQ(runKernel(R"(
nest.func @triangle(%A: memref<4x4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %j = max(0, %i - 1) to min(%i + 1, 3) {
      nest.block "A" (%vi : spatial = %i to 4, %vj : spatial = %j to 4) {
        %c = arith.constant 1.0 : f32
        memref.store %c, %A[%vi, %vj] : memref<4x4xf32>
      }
    }
  }
})",
                      buffers),
            "");
  EXPECT_THAT(
      buffers[0].as<float>(),
      testing::ElementsAre(1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0));
}

TEST_F(NestLevel, ConvolutionWindowThroughAnAlloc) {
  std::vector<HostTensor> buffers = {floats({6}, {1, 2, 3, 4, 5, 6}),
                                     floats({3}, {1, 0, -1}), unset({2})};
  ASSERT_EQ(runKernel(R"(
nest.func @conv(%X: memref<6xf32>, %W: memref<3xf32>, %Y: memref<2xf32>) {
  %P = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "pad" (%v : spatial = %i to 8) {
      %z = arith.constant 0.0 : f32
      %c1 = arith.constant 1 : index
      %c6 = arith.constant 6 : index
      %q = arith.subi %v, %c1 : index
      %in = arith.cmpi ult, %q, %c6 : index
      %x = scf.if %in -> f32 {
        %e = memref.load %X[%q] : memref<6xf32>
        scf.yield %e : f32
      } else {
        scf.yield %z : f32
      }
      memref.store %x, %P[%v] : memref<8xf32>
    }
  }
  nest.for %o = 0 to 2 {
    nest.for %k = 0 to 3 {
      nest.block "conv" (%vo : spatial = %o to 2, %vk : reduce = %k to 3) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %Y[%vo] : memref<2xf32>
      } {
        %c3 = arith.constant 3 : index
        %b = arith.muli %vo, %c3 : index
        %at = arith.addi %b, %vk : index
        %x = memref.load %P[%at] : memref<8xf32>
        %w = memref.load %W[%vk] : memref<3xf32>
        %y = memref.load %Y[%vo] : memref<2xf32>
        %m = arith.mulf %x, %w : f32
        %s = arith.addf %y, %m : f32
        memref.store %s, %Y[%vo] : memref<2xf32>
      }
    }
  }
})",
                      buffers),
            "");
  EXPECT_THAT(buffers[2].as<float>(), testing::ElementsAre(-2, -2));
}

/// B = A (or A + A) by way of a buffer that nobody wrote.
static std::string unwritten(bool copy) {
  return std::string(R"(
nest.func @k(%A: memref<2xf32>) {
  %T = nest.alloc : memref<2xf32>
  nest.for %i = 0 to 2 {
    nest.block "A" (%v : spatial = %i to 2) {
      %x = memref.load %T[%v] : memref<2xf32>)") +
         (copy ? "" : "\n%y = arith.addf %x, %x : f32") + "\nmemref.store " +
         (copy ? "%x" : "%y") + ", %A[%v] : memref<2xf32>\n}}}";
}

TEST_F(NestLevel, FindsAReadBeforeAWrite) {
  std::vector<HostTensor> buffers = {unset({2})};
  EXPECT_THAT(runKernel(unwritten(false), buffers),
              HasSubstr("reads element [0], which was never written"));
  EXPECT_EQ(lastKind, ErrorKind::Internal);
}

TEST_F(NestLevel, ACopyOfTheUnwrittenIsUnwritten) {
  std::vector<HostTensor> buffers = {unset({2})};
  EXPECT_THAT(runKernel(unwritten(true), buffers),
              HasSubstr("buffer 0 of 'k': element [0] was never written"));
}

TEST_F(NestLevel, AnAllocInALoopStartsUndefinedEachTime) {
  std::vector<HostTensor> buffers = {unset({2})};
  EXPECT_THAT(runKernel(R"(
nest.func @k(%A: memref<2xf32>) {
  nest.for %i = 0 to 2 {
    %T = nest.alloc : memref<2xf32>
    nest.block "T" (%v : spatial = %i to 2) where (-%i >= 0) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %T[%v] : memref<2xf32>
    }
    nest.block "A" (%v : spatial = %i to 2) {
      %c0 = arith.constant 0 : index
      %x = memref.load %T[%c0] : memref<2xf32>
      memref.store %x, %A[%v] : memref<2xf32>
    }
  }
})",
                        buffers),
              HasSubstr("buffer 0 of 'k': element [1] was never written"));
}

TEST_F(NestLevel, FindsAnIteratorOutsideItsDomain) {
  std::vector<HostTensor> buffers = {unset({8})};
  EXPECT_THAT(runKernel(R"(
nest.func @k(%A: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "A" (%v : spatial = %i to 6) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %A[%v] : memref<8xf32>
    }
  }
})",
                        buffers),
              HasSubstr("iterator 0 of block \"A\" is 6, outside [0, 6)"));
}

TEST_F(NestLevel, FindsAnAccessOutOfBounds) {
  std::vector<HostTensor> buffers = {unset({2})};
  EXPECT_THAT(runKernel(R"(
nest.func @k(%A: memref<2xf32>) {
  nest.for %i = 0 to 3 {
    nest.block "A" (%v : spatial = %i to 3) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %A[%v] : memref<2xf32>
    }
  }
})",
                        buffers),
              HasSubstr("index [2] is outside a buffer of dims [2]"));
}

TEST_F(NestLevel, WantsUndefinedBuffersWrittenEntirely) {
  std::vector<HostTensor> buffers = {unset({3})};
  EXPECT_THAT(runKernel(R"(
nest.func @k(%A: memref<3xf32>) {
  nest.for %i = 0 to 2 {
    nest.block "A" (%v : spatial = %i to 3) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %A[%v] : memref<3xf32>
    }
  }
})",
                        buffers),
              HasSubstr("element [2] was never written"));
}

constexpr const char *kRacy = R"(
nest.func @sum(%A: memref<4xf32>, %B: memref<1xf32>) {
  nest.for %i = 0 to 4 parallel {
    nest.block "B" (%v : reduce = %i to 4) init {
      %z = arith.constant 0.0 : f32
      %c0 = arith.constant 0 : index
      memref.store %z, %B[%c0] : memref<1xf32>
    } {
      %c0 = arith.constant 0 : index
      %a = memref.load %A[%v] : memref<4xf32>
      %b = memref.load %B[%c0] : memref<1xf32>
      %s = arith.addf %a, %b : f32
      memref.store %s, %B[%c0] : memref<1xf32>
    }
  }
})";

TEST_F(NestLevel, FindsARaceWhenAsked) {
  std::vector<HostTensor> buffers = {floats({4}, {1, 2, 3, 4}), unset({1})};
  EXPECT_EQ(runKernel(kRacy, buffers), "");
  EXPECT_EQ(buffers[1].as<float>()[0], 10);
  options.checkRaces = true;
  EXPECT_THAT(runKernel(kRacy, buffers),
              HasSubstr("iteration 1 of a parallel loop, which iteration 0 "
                        "also touches"));
}

TEST_F(NestLevel, ParallelIterationsWithoutARacePass) {
  options.checkRaces = true;
  options.shuffleSeed = 5;
  std::vector<HostTensor> buffers = {
      randomTensor(f32(), {6, 3}, 1, -3, 3, true),
      randomTensor(f32(), {3, 2}, 2, -3, 3, true), unset({6, 2})};
  std::string text = kMatmul;
  text.replace(text.find("ceildiv 4"), 9, "ceildiv 4 parallel");
  EXPECT_EQ(runKernel(text, buffers, {6}), "");
}

TEST_F(NestLevel, FindsBrokenContractsWhenAsked) {
  // Two spatial points write B[0].
  const char *sum = R"(
nest.func @sum(%A: memref<4xf32>, %B: memref<1xf32>) {
  nest.for %i = 0 to 4 {
    nest.block "sum" (%v : spatial = %i to 4) {
      %c0 = arith.constant 0 : index
      %a = memref.load %A[%v] : memref<4xf32>
      memref.store %a, %B[%c0] : memref<1xf32>
    }
  }
})";
  std::vector<HostTensor> buffers = {floats({4}, {1, 2, 3, 4}), unset({1})};
  EXPECT_EQ(runKernel(sum, buffers), "");
  EXPECT_EQ(buffers[1].as<float>()[0], 4);
  options.checkContract = true;
  EXPECT_THAT(runKernel(sum, buffers),
              HasSubstr("writes element [0], which another spatial point of "
                        "block \"sum\" wrote"));
  options.contractOfArguments = true;
  EXPECT_THAT(runKernel(sum, buffers), HasSubstr("another spatial point"));
  // The same point may write again: reduce and ordered iterators, two blocks.
  std::string reduce = sum;
  reduce.replace(reduce.find("spatial"), 7, "ordered");
  EXPECT_EQ(runKernel(reduce, buffers), "");
  buffers = {randomTensor(f32(), {6, 3}, 1, -3, 3, true),
             randomTensor(f32(), {3, 2}, 2, -3, 3, true), unset({6, 2})};
  EXPECT_EQ(runKernel(kMatmul, buffers, {6}), "");
}

TEST_F(NestLevel, ReductionOverNothingRunsNoInit) {
  const char *sum = R"(
nest.func @sum(%A: memref<2x?xf32>, %B: memref<2xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (2, s0)>, affine_map<()[s0] -> (2)>]} {
  nest.for %i = 0 to 2 {
    nest.for %k = 0 to symbol(%n) {
      nest.block "sum" (%v : spatial = %i to 2, %w : reduce = %k to symbol(%n))
        init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%v] : memref<2xf32>
        } {
          %a = memref.load %A[%v, %w] : memref<2x?xf32>
          %b = memref.load %B[%v] : memref<2xf32>
          %s = arith.addf %a, %b : f32
          memref.store %s, %B[%v] : memref<2xf32>
        }
    }
  }
})";
  std::vector<HostTensor> buffers = {floats({2, 0}, {}), unset({2})};
  EXPECT_THAT(runKernel(sum, buffers, {0}), HasSubstr("was never written"));
  std::vector<std::vector<bool>> written;
  options.written = &written;
  EXPECT_EQ(runKernel(sum, buffers, {0}), "");
  EXPECT_EQ(written[1], std::vector<bool>({false, false}));
  buffers = {floats({2, 1}, {3, 4}), unset({2})};
  EXPECT_EQ(runKernel(sum, buffers, {1}), "");
  EXPECT_EQ(written[1], std::vector<bool>({true, true}));
}

TEST_F(NestLevel, StopsAtTheStepLimit) {
  options.maxSteps = 10;
  std::vector<HostTensor> buffers = {
      randomTensor(f32(), {6, 3}, 1, -3, 3, true),
      randomTensor(f32(), {3, 2}, 2, -3, 3, true), unset({6, 2})};
  EXPECT_THAT(runKernel(kMatmul, buffers, {6}), HasSubstr("steps"));
  EXPECT_EQ(lastKind, ErrorKind::Budget);
}
} // namespace
