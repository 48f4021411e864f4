// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A depthwise convolution: lanes are channels in both operands, the tile is
// half a row of pixels by one vector; a row of taps is copies of the code.
//
// CHECK: nest.func @depthwise(%{{.*}}: memref<16x16x32xf32>, %{{.*}}: memref<4x3x3x8xf32> {nest.constant}
// CHECK: nest.for %[[H:.*]] = 0 to 14
// CHECK-NEXT: nest.for %[[W:.*]] = 0 to 2 {
// CHECK-NEXT: nest.for %[[C:.*]] = 0 to 4 {
// CHECK: nest.alloc : memref<1x7x8xf32, "register">
// CHECK: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 7 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 3 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 1 unroll {
// CHECK-NEXT: nest.for %[[L:.*]] = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "Y" ({{.*}} %{{.*}} : spatial = %[[L]] to 8,
// CHECK-NOT: where
nest.func @depthwise(%X: memref<16x16x32xf32>, %W: memref<3x3x32xf32> {nest.constant}, %Y: memref<14x14x32xf32>) {
  nest.for %h = 0 to 14 {
    nest.for %w = 0 to 14 {
      nest.for %c = 0 to 32 {
        nest.for %p = 0 to 3 {
          nest.for %q = 0 to 3 {
            nest.block "Y" (%vh : spatial = %h to 14, %vw : spatial = %w to 14, %vc : spatial = %c to 32,
                            %vp : reduce = %p to 3, %vq : reduce = %q to 3) init {
              %z = arith.constant 0.0 : f32
              memref.store %z, %Y[%vh, %vw, %vc] : memref<14x14x32xf32>
            } {
              %row = arith.addi %vh, %vp : index
              %column = arith.addi %vw, %vq : index
              %x = memref.load %X[%row, %column, %vc] : memref<16x16x32xf32>
              %f = memref.load %W[%vp, %vq, %vc] : memref<3x3x32xf32>
              %y = memref.load %Y[%vh, %vw, %vc] : memref<14x14x32xf32>
              %m = arith.mulf %x, %f : f32
              %s = arith.addf %y, %m : f32
              memref.store %s, %Y[%vh, %vw, %vc] : memref<14x14x32xf32>
            }
          }
        }
      }
    }
  }
}
