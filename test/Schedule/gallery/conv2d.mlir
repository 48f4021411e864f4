// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// A 3 x 3 convolution as an implicit matrix product: pixels are the rows,
// (r, s, c) the reduction, and the matrix of patches is made four rows at a
// time, in L1, right before the tile that reads it.
//
//   mo   4 pixels
//          P = their patches, 4 x 576                            (stays in L1)
//   oo     16 output channels: T = 0                     4 x 16 in registers
//          for ko, ki: T += P[:, k] * W[oo, k, :]        W packed by 16 channels
//          Y = T
//
// AS: 56=14 58=16 64=16 192=48

// CHECK-LABEL: nest.func @conv2d
// CHECK-SAME: memref<4x3x3x64x16xf32> {nest.constant}
// CHECK: nest.for %[[MO:.*]] = 0 to 784 parallel
// CHECK: nest.alloc : memref<4x576xf32>
// CHECK: nest.block "conv_read0"
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK: nest.alloc : memref<4x16xf32, "register">
// CHECK: nest.block "conv_init"
// CHECK: nest.for %{{.*}} = 0 to 9 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 64 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK-NEXT: nest.block "conv"
// CHECK: nest.block "conv_write"
module attributes {transform.with_named_sequence} {
  nest.func @conv2d(%X: memref<58x58x64xf32>, %W: memref<3x3x64x64xf32> {nest.constant},
                    %Y: memref<56x56x64xf32>) {
    nest.for %h = 0 to 56 {
      nest.for %w = 0 to 56 {
        nest.for %o = 0 to 64 {
          nest.for %r = 0 to 3 {
            nest.for %s = 0 to 3 {
              nest.for %c = 0 to 64 {
                nest.block "conv" (%vh : spatial = %h to 56, %vw : spatial = %w to 56, %vo : spatial = %o to 64,
                                   %vr : reduce = %r to 3, %vs : reduce = %s to 3, %vc : reduce = %c to 64) init {
                  %z = arith.constant 0.0 : f32
                  memref.store %z, %Y[%vh, %vw, %vo] : memref<56x56x64xf32>
                } {
                  %y = arith.addi %vh, %vr : index
                  %x = arith.addi %vw, %vs : index
                  %a = memref.load %X[%y, %x, %vc] : memref<58x58x64xf32>
                  %f = memref.load %W[%vr, %vs, %vc, %vo] : memref<3x3x64x64xf32>
                  %d = memref.load %Y[%vh, %vw, %vo] : memref<56x56x64xf32>
                  %m = arith.mulf %a, %f : f32
                  %t = arith.addf %d, %m : f32
                  memref.store %t, %Y[%vh, %vw, %vo] : memref<56x56x64xf32>
                }
              }
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %conv = transform.nest.get_block "conv" in %root : !transform.any_op

    // The convolution as a product: pixels x channels x patch.
    transform.nest.transform_layout %conv "read" 1 to affine_map<(r, s, c, o) -> (o floordiv 16, r, s, c, o mod 16)>
    transform.nest.transform_block_layout %conv to affine_map<(h, w, o, r, s, c) -> (h * 56 + w, o, r * 192 + s * 64 + c)>
    %patches = transform.nest.reindex %conv "read" 0
    %out = transform.nest.reindex_cache_write %conv write 0 in "register" to affine_map<(m, o, k) -> (m, o)>

    // Tiles of 4 pixels x 16 channels; c is a loop of its own again.
    %m, %o, %k = transform.nest.get_loops %conv : 3
    %mo, %mi = transform.nest.split %m by [-1, 4] : 2
    %oo, %ol = transform.nest.split %o by [-1, 16] : 2
    %ko, %ki = transform.nest.split %k by [-1, 64] : 2
    transform.nest.reorder %mo, %oo, %ko, %ki, %mi, %ol
    transform.nest.reverse_compute_at %out at %oo
    transform.nest.compute_at %patches at %mo
    %init = transform.nest.decompose_reduction %conv at %ko

    // Rows are copies of the code, channels lanes.
    transform.nest.unroll %mi
    transform.nest.vectorize %ol
    %i0, %i1, %i2, %i3 = transform.nest.get_loops %init : 4
    transform.nest.unroll %i2
    transform.nest.vectorize %i3
    %w0, %w1, %w2, %w3 = transform.nest.get_loops %out : 4
    transform.nest.unroll %w2
    transform.nest.vectorize %w3
    %p0, %p1, %p2 = transform.nest.get_loops %patches : 3
    %pr, %pc, %pl = transform.nest.split %p2 by [-1, 4, 16] : 3
    transform.nest.vectorize %pl
    transform.nest.parallel %mo grain [4]
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
