// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// Work that ends before a second thread would have woken up.
//
// CHECK: nest.func @tiny
// CHECK-NOT: parallel
nest.func @tiny(%X: memref<8x16xf32>, %Y: memref<8x16xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 16 {
      nest.block "Y" (%vi : spatial = %i to 8, %vj : spatial = %j to 16) {
        %x = memref.load %X[%vi, %vj] : memref<8x16xf32>
        %y = arith.negf %x : f32
        memref.store %y, %Y[%vi, %vj] : memref<8x16xf32>
      }
    }
  }
}
