// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// Many rows share themselves: one loop is enough, and the grain is as many rows
// as are worth another thread.
//
// CHECK: nest.func @many
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4096 parallel annotate {grain = {{[0-9]+}} : i64} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 64 {
nest.func @many(%X: memref<4096x512xf32>, %Y: memref<4096x512xf32>) {
  nest.for %i = 0 to 4096 {
    nest.for %j = 0 to 512 {
      nest.block "Y" (%vi : spatial = %i to 4096, %vj : spatial = %j to 512) {
        %x = memref.load %X[%vi, %vj] : memref<4096x512xf32>
        %y = arith.negf %x : f32
        memref.store %y, %Y[%vi, %vj] : memref<4096x512xf32>
      }
    }
  }
}
