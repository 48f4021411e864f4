// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// The grain was chosen for rows of 64: 16 * 64 / n iterations, one at least. What
// does not stand before the loop (a bound that varies inside) does not count.
//
// CHECK: llvm.func hidden @rows(
// CHECK: %[[N:.*]] = arith.index_cast %arg3 : i64 to index
// CHECK: %[[LENGTH:.*]] = arith.subi %[[N]], %c0
// CHECK: %[[ATLEAST:.*]] = arith.maxsi %[[LENGTH]], %c1
// CHECK: %[[INRANGE:.*]] = arith.minsi %[[ATLEAST]], %c4096
// CHECK: %[[SCALED:.*]] = arith.divsi %c1024{{.*}}, %[[INRANGE]]
// CHECK: %[[POSITIVE:.*]] = arith.maxsi %[[SCALED]], %c1
// CHECK: %[[GRAIN:.*]] = arith.index_cast %[[POSITIVE]]
// CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[GRAIN]],
// CHECK: llvm.func hidden @varying(
// CHECK-NOT: divsi
// CHECK: %[[FIXED:.*]] = arith.constant 16 : i64
// CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[FIXED]],
nest.func @rows(%A: memref<4096x?xf32>, %B: memref<4096x?xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (4096, s0)>, affine_map<()[s0] -> (4096, s0)>]} {
  nest.for %i = 0 to 4096 parallel annotate {grain = 16 : i64, grain_sizes = 64 : i64} {
    nest.for %j = 0 to symbol(%n) {
      nest.block "B" (%vi : spatial = %i to 4096, %vj : spatial = %j to symbol(%n)) {
        %a = memref.load %A[%vi, %vj] : memref<4096x?xf32>
        memref.store %a, %B[%vi, %vj] : memref<4096x?xf32>
      }
    }
  }
}
nest.func @varying(%A: memref<64x64xf32>) {
  nest.for %i = 0 to 64 parallel annotate {grain = 16 : i64, grain_sizes = 64 : i64} {
    nest.for %j = 0 to %i {
      nest.block "A" (%vi : spatial = %i to 64, %vj : spatial = %j to 64) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%vi, %vj] : memref<64x64xf32>
      }
    }
  }
}
