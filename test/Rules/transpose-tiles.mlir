// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A column read for a row written: tiles of 8 x 8 in registers, two of them for
// each line of the cache that is read; rows of the tile are read along memory,
// columns of it are written along memory. The rest of 27 has code of its own.
//
// CHECK: nest.func @column
// CHECK: nest.for %{{.*}} = 0 to 4
// CHECK-NEXT: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 2 unroll {
// CHECK-NEXT: %[[R:.*]] = nest.alloc : memref<8x8xf32, "register">
// CHECK: nest.for %{{.*}} = 0 to 8 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK: memref.store %{{.*}}, %[[R]]
// CHECK: nest.for %{{.*}} = 0 to 8 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "Y" (
// CHECK-NOT: where
// CHECK: memref.load %[[R]]
// CHECK: "Y_tail"{{.*}} where
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

// Too short for a vector, and a type whose columns are not shuffled: no loop
// runs through both buffers one element at a time, so lanes would gather.
//
// CHECK: nest.func @short
// CHECK-NOT: vectorize
// CHECK: nest.func @bytes
// CHECK-NOT: vectorize
nest.func @short(%X: memref<3x64xf32>, %Y: memref<64x3xf32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 3 {
      nest.block "Y" (%vi : spatial = %i to 64, %vj : spatial = %j to 3) {
        %x = memref.load %X[%vj, %vi] : memref<3x64xf32>
        memref.store %x, %Y[%vi, %vj] : memref<64x3xf32>
      }
    }
  }
}

nest.func @bytes(%X: memref<64x64xi8>, %Y: memref<64x64xi8>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 64 {
      nest.block "Y" (%vi : spatial = %i to 64, %vj : spatial = %j to 64) {
        %x = memref.load %X[%vj, %vi] : memref<64x64xi8>
        memref.store %x, %Y[%vi, %vj] : memref<64x64xi8>
      }
    }
  }
}
