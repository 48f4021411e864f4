// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// No loop runs through both buffers one element at a time: lanes would gather.
//
// CHECK: nest.func @column
// CHECK-NOT: vectorize
nest.func @column(%X: memref<27x64xf32>, %Y: memref<64x27xf32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 27 {
      nest.block "Y" (%vi : spatial = %i to 64, %vj : spatial = %j to 27) {
        %x = memref.load %X[%vj, %vi] : memref<27x64xf32>
        %y = arith.negf %x : f32
        memref.store %y, %Y[%vi, %vj] : memref<64x27xf32>
      }
    }
  }
}
