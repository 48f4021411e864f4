// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A row that is no multiple of the vectors: full vectors without a test, then one
// under a mask.
//
// CHECK: nest.func @tail
// CHECK: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "Y" (
// CHECK-NOT: where
// CHECK: nest.for %[[O:.*]] = 3 to 4 {
// CHECK-NEXT: nest.for %[[L:.*]] = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "Y_tail" ({{.*}}) where (%[[O]] * -8 - %[[L]] + 26 >= 0)
nest.func @tail(%X: memref<1000x27xf32>, %Y: memref<1000x27xf32>) {
  nest.for %i = 0 to 1000 {
    nest.for %j = 0 to 27 {
      nest.block "Y" (%vi : spatial = %i to 1000, %vj : spatial = %j to 27) {
        %x = memref.load %X[%vi, %vj] : memref<1000x27xf32>
        %y = arith.negf %x : f32
        memref.store %y, %Y[%vi, %vj] : memref<1000x27xf32>
      }
    }
  }
}
