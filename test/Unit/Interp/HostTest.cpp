// The host level: launches, buffers, arena slices, control flow.
#include "InterpTestBase.h"

using namespace nestor;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {
class HostLevel : public InterpTest {
protected:
  /// Kernels @scale (B = 2 A) and a main with `body`.
  std::string program(const std::string &body,
                      const std::string &results = "memref<?xf32>") {
    return R"(
nest.func @scale(%A: memref<?xf32>, %B: memref<?xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.block "B" (%v : spatial = %i to symbol(%n)) {
      %a = memref.load %A[%v] : memref<?xf32>
      %b = arith.addf %a, %a : f32
      memref.store %b, %B[%v] : memref<?xf32>
    }
  }
}
func.func @main(%x: memref<?xf32>) -> )" +
           results + R"( {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
)" + body + "\n}\n";
  }
  HostTensor x() { return floats({3}, {1, 2, 3}); }
};

TEST_F(HostLevel, LaunchesInALoopOverArenaSlices) {
  EXPECT_THAT(show(program(R"(
  %bytes = arith.muli %n, %c4 : index
  %size = arith.muli %bytes, %c2 : index
  %arena = host.arena %size : memref<?xi8>
  %a = host.slice %arena at %c0 [%n] : memref<?xi8> to memref<?xf32>
  host.copy %x to %a : memref<?xf32> to memref<?xf32>
  scf.for %i = %c0 to %c3 step %c1 {
    %b = host.slice %arena at %bytes [%n] : memref<?xi8> to memref<?xf32>
    host.launch @scale (%a, %b) sizes(%n) writes 1 : memref<?xf32>, memref<?xf32>
    host.copy %b to %a : memref<?xf32> to memref<?xf32>
  }
  %o = host.output 0 [%n] : memref<?xf32>
  host.launch @scale (%a, %o) sizes(%n) writes 1 : memref<?xf32>, memref<?xf32>
  return %o : memref<?xf32>)"),
                   {x()}),
              ElementsAre("3xf32 [16, 32, 48]"));
}

TEST_F(HostLevel, IfYieldsBuffersAndLoadsReadScalars) {
  const std::string text = program(R"(
  %f = memref.load %x[%c0] : memref<?xf32>
  %z = arith.constant 0.0 : f32
  %pos = arith.cmpf ogt, %f, %z : f32
  %o = host.output 0 [%n] : memref<?xf32>
  %r = scf.if %pos -> memref<?xf32> {
    host.launch @scale (%x, %o) sizes(%n) writes 1 : memref<?xf32>, memref<?xf32>
    scf.yield %o : memref<?xf32>
  } else {
    %t = host.scratch [%n] : memref<?xf32>
    host.copy %x to %t : memref<?xf32> to memref<?xf32>
    scf.yield %t : memref<?xf32>
  }
  return %r : memref<?xf32>)");
  EXPECT_THAT(show(text, {x()}), ElementsAre("3xf32 [2, 4, 6]"));
  EXPECT_THAT(show(text, {floats({1}, {-1})}), ElementsAre("1xf32 [-1]"));
}

TEST_F(HostLevel, FindsASliceThatWasOverwritten) {
  EXPECT_THAT(error(program(R"(
  %size = arith.constant 64 : index
  %arena = host.arena %size : memref<?xi8>
  %a = host.slice %arena at %c0 [%n] : memref<?xi8> to memref<?xf32>
  %b = host.slice %arena at %c4 [%n] : memref<?xi8> to memref<?xf32>
  host.copy %x to %a : memref<?xf32> to memref<?xf32>
  host.copy %x to %b : memref<?xf32> to memref<?xf32>
  %o = host.output 0 [%n] : memref<?xf32>
  host.copy %a to %o : memref<?xf32> to memref<?xf32>
  return %o : memref<?xf32>)"),
                    {x()}),
              HasSubstr("host.copy"));
  EXPECT_THAT(error(program(R"(
  %size = arith.constant 64 : index
  %arena = host.arena %size : memref<?xi8>
  %a = host.slice %arena at %c0 [%n] : memref<?xi8> to memref<?xf32>
  %b = host.slice %arena at %c4 [%n] : memref<?xi8> to memref<?xf32>
  host.copy %x to %a : memref<?xf32> to memref<?xf32>
  host.launch @scale (%a, %b) sizes(%n) writes 1 : memref<?xf32>, memref<?xf32>
  return %b : memref<?xf32>)"),
                    {x()}),
              HasSubstr("buffers 0 and 1 of kernel 'scale' overlap"));
}

TEST_F(HostLevel, InputsAreReadOnly) {
  EXPECT_THAT(error(program(R"(
  %t = host.alloc [%n] : memref<?xf32>
  host.copy %x to %t : memref<?xf32> to memref<?xf32>
  host.launch @scale (%t, %x) sizes(%n) writes 1 : memref<?xf32>, memref<?xf32>
  return %t : memref<?xf32>)"),
                    {x()}),
              HasSubstr("writes buffer 1, which is read only"));
  EXPECT_THAT(error(program(R"(
  %t = host.alloc [%n] : memref<?xf32>
  host.launch @scale (%x, %t) sizes(%n) writes 0 : memref<?xf32>, memref<?xf32>
  return %t : memref<?xf32>)"),
                    {x()}),
              HasSubstr("of a buffer that is read only here"));
}

TEST_F(HostLevel, LaunchDimsFollowFromSizes) {
  EXPECT_THAT(error(program(R"(
  %t = host.alloc [%n] : memref<?xf32>
  host.launch @scale (%x, %t) sizes(%c2) writes 1 : memref<?xf32>, memref<?xf32>
  return %t : memref<?xf32>)"),
                    {x()}),
              HasSubstr("must have dims [2], got [3]"));
}

TEST_F(HostLevel, ConstantsViewsAndChecks) {
  std::vector<uint8_t> bytes(16);
  float values[4] = {5, 6, 7, 8};
  std::memcpy(bytes.data(), values, 16);
  std::string key = pool.addOwned(bytes);
  std::string text = program(R"(
  %w = host.constant ")" + key +
                             R"(" : memref<2x2xf32>
  %v = host.view %w [%c4] : memref<2x2xf32> to memref<?xf32>
  %small = arith.cmpi slt, %n, %c4 : index
  host.check %small, "x has less than 4 elements"
  %o = host.output 0 [%c4] : memref<?xf32>
  host.launch @scale (%v, %o) sizes(%c4) writes 1 : memref<?xf32>, memref<?xf32>
  return %o : memref<?xf32>)");
  EXPECT_THAT(show(text, {x()}), ElementsAre("4xf32 [10, 12, 14, 16]"));
  EXPECT_THAT(error(text, {floats({4}, {1, 2, 3, 4})}),
              HasSubstr("x has less than 4 elements"));
  EXPECT_EQ(lastKind, ErrorKind::RunTime);
  EXPECT_THAT(error(program(R"(
  %w = host.constant "missing" : memref<2xf32>
  return %x : memref<?xf32>)"),
                    {x()}),
              HasSubstr("the pool has no 8 bytes named 'missing'"));
}
} // namespace
