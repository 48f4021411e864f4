// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// The sum of a row, in four vectors of partial sums that stay in registers;
// max_rest has 27 elements, too few for that: one vector at a time and a masked
// one.
//
// CHECK: nest.func @sum
// CHECK: nest.alloc : memref<1x32xf32, "register">
// CHECK: nest.block "S_rf_init"
// CHECK: nest.for %{{.*}} = 0 to 16 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "S_rf" (
// CHECK: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "S" ({{.*}} reduce = {{.*}}) init {
// CHECK: nest.func @max_rest
// CHECK: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "S
// CHECK: nest.for %{{.*}} = 3 to 4 {
// CHECK: nest.block "S{{.*}}tail"{{.*}} where (
nest.func @sum(%X: memref<8x512xf32>, %S: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 512 {
      nest.block "S" (%vi : spatial = %i to 8, %vj : reduce = %j to 512) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %S[%vi] : memref<8xf32>
      } {
        %x = memref.load %X[%vi, %vj] : memref<8x512xf32>
        %s = memref.load %S[%vi] : memref<8xf32>
        %r = arith.addf %s, %x : f32
        memref.store %r, %S[%vi] : memref<8xf32>
      }
    }
  }
}

nest.func @max_rest(%X: memref<8x27xf32>, %S: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.for %j = 0 to 27 {
      nest.block "S" (%vi : spatial = %i to 8, %vj : reduce = %j to 27) init {
        %z = arith.constant 0xFF800000 : f32
        memref.store %z, %S[%vi] : memref<8xf32>
      } {
        %x = memref.load %X[%vi, %vj] : memref<8x27xf32>
        %s = memref.load %S[%vi] : memref<8xf32>
        %r = arith.maximumf %s, %x : f32
        memref.store %r, %S[%vi] : memref<8xf32>
      }
    }
  }
}
