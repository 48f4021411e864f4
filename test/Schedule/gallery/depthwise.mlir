// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// A depthwise 3 x 3 convolution and the 1 x 1 convolution that follows it, one
// nest: four pixels of the first (4 x 32 floats, in L1) are made where the
// second reads them.
//
//   h, wo   4 pixels of a row
//             co   8 channels: D = 3 x 3 window of X          4 vectors in registers
//             oo   16 output channels: T = 0                  4 x 16 in registers
//                  for c: T += D[:, c] * W[oo, c, :];  Y = T
//
// AS: 56=12 58=14

// CHECK-LABEL: nest.func @separable
// CHECK-SAME: memref<4x32x16xf32> {nest.constant}
// CHECK: nest.for %{{.*}} = 0 to 56 parallel
// CHECK-NEXT: nest.for %{{.*}} = 0 to 14 {
// CHECK: nest.alloc : memref<{{.*}}4x32xf32>
// CHECK: nest.alloc : memref<{{.*}}4x8xf32, "register">
// CHECK: nest.block "dw_init"
// CHECK: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "dw"
// CHECK: nest.block "dw_write"
// CHECK: nest.alloc : memref<{{.*}}4x16xf32, "register">
// CHECK: nest.block "pw_init"
// CHECK: nest.block "pw"
// CHECK: nest.block "pw_write"
module attributes {transform.with_named_sequence} {
  nest.func @separable(%X: memref<58x58x32xf32>, %F: memref<3x3x32xf32>,
                       %W: memref<32x64xf32> {nest.constant}, %Y: memref<56x56x64xf32>) {
    %D = nest.alloc : memref<56x56x32xf32>
    nest.for %h = 0 to 56 {
      nest.for %w = 0 to 56 {
        nest.for %c = 0 to 32 {
          nest.for %r = 0 to 3 {
            nest.for %s = 0 to 3 {
              nest.block "dw" (%vh : spatial = %h to 56, %vw : spatial = %w to 56, %vc : spatial = %c to 32,
                               %vr : reduce = %r to 3, %vs : reduce = %s to 3) init {
                %z = arith.constant 0.0 : f32
                memref.store %z, %D[%vh, %vw, %vc] : memref<56x56x32xf32>
              } {
                %y = arith.addi %vh, %vr : index
                %x = arith.addi %vw, %vs : index
                %a = memref.load %X[%y, %x, %vc] : memref<58x58x32xf32>
                %f = memref.load %F[%vr, %vs, %vc] : memref<3x3x32xf32>
                %d = memref.load %D[%vh, %vw, %vc] : memref<56x56x32xf32>
                %m = arith.mulf %a, %f : f32
                %t = arith.addf %d, %m : f32
                memref.store %t, %D[%vh, %vw, %vc] : memref<56x56x32xf32>
              }
            }
          }
        }
      }
    }
    nest.for %h = 0 to 56 {
      nest.for %w = 0 to 56 {
        nest.for %o = 0 to 64 {
          nest.for %c = 0 to 32 {
            nest.block "pw" (%vh : spatial = %h to 56, %vw : spatial = %w to 56, %vo : spatial = %o to 64,
                             %vc : reduce = %c to 32) init {
              %z = arith.constant 0.0 : f32
              memref.store %z, %Y[%vh, %vw, %vo] : memref<56x56x64xf32>
            } {
              %d = memref.load %D[%vh, %vw, %vc] : memref<56x56x32xf32>
              %f = memref.load %W[%vc, %vo] : memref<32x64xf32>
              %y = memref.load %Y[%vh, %vw, %vo] : memref<56x56x64xf32>
              %m = arith.mulf %d, %f : f32
              %t = arith.addf %y, %m : f32
              memref.store %t, %Y[%vh, %vw, %vo] : memref<56x56x64xf32>
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pw = transform.nest.get_block "pw" in %root : !transform.any_op
    %dw = transform.nest.get_block "dw" in %root : !transform.any_op
    transform.nest.transform_layout %pw "read" 1 to affine_map<(c, o) -> (o floordiv 16, c, o mod 16)>

    // The 1 x 1 convolution: tiles of 4 pixels x 16 channels.
    %h, %w, %o, %c = transform.nest.get_loops %pw : 4
    %wo, %wi = transform.nest.split %w by [-1, 4] : 2
    %oo, %om, %ol = transform.nest.split %o by [-1, 2, 8] : 3
    transform.nest.reorder %h, %wo, %oo, %c, %wi, %om, %ol
    %pout = transform.nest.cache_write %pw write 0 in "register"
    transform.nest.reverse_compute_at %pout at %oo
    %pinit = transform.nest.decompose_reduction %pw at %c

    // The depthwise one, where its results are read: 4 pixels x 8 channels.
    %dout = transform.nest.cache_write %dw write 0 in "register"
    transform.nest.compute_at %dout at %wo
    %l0, %l1, %dwi, %dc = transform.nest.get_loops %dout : 4
    %co, %cl = transform.nest.split %dc by [-1, 8] : 2
    transform.nest.reorder %co, %dwi, %cl
    transform.nest.compute_at %dw at %co
    %m0, %m1, %m2, %tw, %tc, %r, %s = transform.nest.get_loops %dw : 7
    transform.nest.reorder %r, %s, %tw, %tc
    %dinit = transform.nest.decompose_reduction %dw at %r

    // Pixels are copies of the code, channels lanes.
    transform.nest.unroll %wi
    transform.nest.unroll %om
    transform.nest.vectorize %ol
    %p0, %p1, %p2, %pi, %pm, %pl = transform.nest.get_loops %pinit : 6
    transform.nest.unroll %pi
    transform.nest.unroll %pm
    transform.nest.vectorize %pl
    %q0, %q1, %q2, %qi, %ql = transform.nest.get_loops %pout : 5
    transform.nest.unroll %qi
    transform.nest.vectorize %ql
    transform.nest.unroll %tw
    transform.nest.vectorize %tc
    transform.nest.unroll %dwi
    transform.nest.vectorize %cl
    %i0, %i1, %i2, %ii, %il = transform.nest.get_loops %dinit : 5
    transform.nest.unroll %ii
    transform.nest.vectorize %il
    transform.nest.parallel %h grain [1]
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
