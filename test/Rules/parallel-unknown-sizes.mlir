// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// How long a row is shows at run time: the grain is that of rows of 64 (here of 64
// vectors), and says so; the code scales it (test/Lower/parallel-scaled-grain.mlir).
//
// CHECK: nest.func @rows
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4096 parallel annotate {grain = {{[0-9]+}} : i64, grain_sizes = 64 : i64} {
nest.func @rows(%X: memref<4096x?xf32>, %Y: memref<4096x?xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (4096, s0)>, affine_map<()[s0] -> (4096, s0)>]} {
  nest.for %i = 0 to 4096 {
    nest.for %j = 0 to symbol(%n) {
      nest.block "Y" (%vi : spatial = %i to 4096, %vj : spatial = %j to symbol(%n)) {
        %x = memref.load %X[%vi, %vj] : memref<4096x?xf32>
        %y = arith.negf %x : f32
        memref.store %y, %Y[%vi, %vj] : memref<4096x?xf32>
      }
    }
  }
}
