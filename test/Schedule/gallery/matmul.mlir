// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// A matmul with bias and ReLU: register tiles of 4 x 16, the weights packed by
// panels of 16 columns, the epilogue on the tile.
// SIZES: 37
// BENCH: 2047

// CHECK-LABEL: nest.func @matmul
// CHECK-SAME: memref<4x64x16xf32>
// CHECK-SAME: relayouts = [{arg = 1 : i64, kernel = @pack_matmul_1}]
// CHECK: nest.for %[[IO:.*]] = 0 to symbol(%{{.*}}) floordiv 4 parallel annotate {grain = 2 : i64}
// CHECK: nest.for %[[JO:.*]] = 0 to 4 {
// CHECK: nest.alloc : memref<4x16xf32, "register">
// CHECK: nest.block "mm_init"
// CHECK-NOT: where
// CHECK: nest.for %{{.*}} = 0 to 64 {
// CHECK: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK: nest.block "mm"
// CHECK-NOT: arith.div
// CHECK: nest.block "relu"
// CHECK: nest.for %{{.*}} = symbol(%{{.*}}) floordiv 4 to symbol(%{{.*}}) ceildiv 4
// CHECK: nest.block "relu_tail"
// CHECK: nest.func @pack_matmul_1(%{{.*}}: memref<64x64xf32>, %{{.*}}: memref<4x64x16xf32>
module attributes {transform.with_named_sequence} {
  nest.func @matmul(%A: memref<?x64xf32>, %B: memref<64x64xf32>, %bias: memref<64xf32>,
                    %C: memref<?x64xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (64, 64)>,
                            affine_map<()[s0] -> (64)>, affine_map<()[s0] -> (s0, 64)>]} {
    %T = nest.alloc [symbol(%n), 64] : memref<?x64xf32>
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 64 {
        nest.for %k = 0 to 64 {
          nest.block "mm" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 64, %vk : reduce = %k to 64) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %T[%vi, %vj] : memref<?x64xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<?x64xf32>
            %b = memref.load %B[%vk, %vj] : memref<64x64xf32>
            %c = memref.load %T[%vi, %vj] : memref<?x64xf32>
            %m = arith.mulf %a, %b : f32
            %s = arith.addf %c, %m : f32
            memref.store %s, %T[%vi, %vj] : memref<?x64xf32>
          }
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 64 {
        nest.block "relu" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 64) {
          %t = memref.load %T[%vi, %vj] : memref<?x64xf32>
          %b = memref.load %bias[%vj] : memref<64xf32>
          %s = arith.addf %t, %b : f32
          %z = arith.constant 0.0 : f32
          %r = arith.maximumf %s, %z : f32
          memref.store %r, %C[%vi, %vj] : memref<?x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %mr = transform.tune.knob<"mr"> = 4 : i64 from options = [1, 2, 4, 6, 8] -> !transform.param<i64>
    %io, %ii = transform.nest.split %i by [-1, %mr] : 2
    %jo, %ji = transform.nest.split %j by [-1, 16] : 2
    transform.nest.reorder %io, %jo, %k, %ii, %ji
    transform.nest.reverse_compute_at %relu at %jo
    %init = transform.nest.decompose_reduction %mm at %k
    transform.nest.set_scope %mm write 0 in "register"
    transform.nest.transform_layout %mm "read" 1 to affine_map<(k, n) -> (n floordiv 16, k, n mod 16)>
    transform.nest.unroll %ii
    transform.nest.vectorize %ji
    %iia, %jia, %ii0, %ji0 = transform.nest.get_loops %init : 4
    transform.nest.unroll %ii0
    transform.nest.vectorize %ji0
    %a, %b, %ii1, %ji1 = transform.nest.get_loops %relu : 4
    transform.nest.unroll %ii1
    transform.nest.vectorize %ji1
    transform.nest.parallel %io grain [2]
    transform.nest.compact_buffers %root : !transform.any_op
    %full, %rest = transform.nest.separate_full_partial %io
    transform.yield
  }
}
