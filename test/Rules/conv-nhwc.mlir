// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A convolution over channels-last data: the tile is 5 pixels of a row by 2
// vectors of output channels; taps and input channels are the reduction.
//
// CHECK: nest.func @conv(%{{.*}}: memref<1x16x16x8xf32>, %{{.*}}: memref<1x3x3x8x16xf32> {nest.constant}
// CHECK: nest.for %[[H:.*]] = 0 to 14 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 1 {
// CHECK-NEXT: nest.for %[[W:.*]] = 0 to 2 {
// CHECK: nest.alloc : memref<1x1x5x16xf32, "register">
// CHECK: nest.for %[[P:.*]] = 0 to 3 {
// CHECK-NEXT: nest.for %[[Q:.*]] = 0 to 3 {
// CHECK-NEXT: nest.for %[[C:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[X:.*]] = 0 to 5 unroll {
// CHECK-NEXT: nest.for %[[V:.*]] = 0 to 2 unroll {
// CHECK-NEXT: nest.for %[[L:.*]] = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "Y" (%{{.*}} : spatial = %[[H]] to 14, %{{.*}} : spatial = %[[W]] * 5 + %[[X]] to 14,
// CHECK-NOT: where
// CHECK: nest.block "Y_write"
//
// Pixels 10 to 13 of a row.
// CHECK: nest.for %{{.*}} = 2 to 3 {
// CHECK: nest.block "Y_tail"{{.*}} where (
nest.func @conv(%X: memref<1x16x16x8xf32>, %W: memref<3x3x8x16xf32> {nest.constant}, %Y: memref<1x14x14x16xf32>) {
  nest.for %h = 0 to 14 {
    nest.for %w = 0 to 14 {
      nest.for %o = 0 to 16 {
        nest.for %p = 0 to 3 {
          nest.for %q = 0 to 3 {
            nest.for %c = 0 to 8 {
              nest.block "Y" (%vh : spatial = %h to 14, %vw : spatial = %w to 14, %vo : spatial = %o to 16,
                              %vp : reduce = %p to 3, %vq : reduce = %q to 3, %vc : reduce = %c to 8) init {
                %c0 = arith.constant 0 : index
                %z = arith.constant 0.0 : f32
                memref.store %z, %Y[%c0, %vh, %vw, %vo] : memref<1x14x14x16xf32>
              } {
                %c0 = arith.constant 0 : index
                %row = arith.addi %vh, %vp : index
                %column = arith.addi %vw, %vq : index
                %x = memref.load %X[%c0, %row, %column, %vc] : memref<1x16x16x8xf32>
                %f = memref.load %W[%vp, %vq, %vc, %vo] : memref<3x3x8x16xf32>
                %y = memref.load %Y[%c0, %vh, %vw, %vo] : memref<1x14x14x16xf32>
                %m = arith.mulf %x, %f : f32
                %s = arith.addf %y, %m : f32
                memref.store %s, %Y[%c0, %vh, %vw, %vo] : memref<1x14x14x16xf32>
              }
            }
          }
        }
      }
    }
  }
}
