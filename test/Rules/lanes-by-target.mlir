// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s --check-prefix=V3
// RUN: nestor-opt --schedule-default=target=x86-64-v4 %s | FileCheck %s --check-prefix=V4

// The same kernel on vectors of 256 and of 512 bits.
//
// V3: nest.for %{{.*}} = 0 to 8 {
// V3-NEXT: nest.for %{{.*}} = 0 to 8 {
// V3-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// V4: nest.for %{{.*}} = 0 to 8 {
// V4-NEXT: nest.for %{{.*}} = 0 to 4 {
// V4-NEXT: nest.for %{{.*}} = 0 to 16 vectorize {
nest.func @negate(%X: memref<8x64xf32>, %Y: memref<8x64xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 64 {
      nest.block "Y" (%vi : spatial = %i to 8, %vj : spatial = %j to 64) {
        %x = memref.load %X[%vi, %vj] : memref<8x64xf32>
        %y = arith.negf %x : f32
        memref.store %y, %Y[%vi, %vj] : memref<8x64xf32>
      }
    }
  }
}
