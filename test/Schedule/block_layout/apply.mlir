// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Two iterators become one; the body divides where it needs the old ones.
// CHECK-LABEL: nest.func @fuse
// CHECK: nest.for %[[F:.*]] = 0 to 32 {
// CHECK-NEXT: nest.block "B" (%[[V:.*]] : spatial = %[[F]] to 32) {
// CHECK: %[[Q:.*]] = arith.divui %[[V]], %{{.*}} : index
// CHECK: %[[R:.*]] = arith.remui %[[V]], %{{.*}} : index
// CHECK: memref.load %{{.*}}[%[[Q]], %[[R]]]
module attributes {transform.with_named_sequence} {
  nest.func @fuse(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%vi : spatial = %i to 8, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<8x4xf32>
          memref.store %a, %B[%vi, %vj] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 4 + j)>
    transform.yield
  }
}

// -----

// Digits and another order of a reduction; loops outside stay.
// CHECK-LABEL: nest.func @digits
// CHECK: nest.for %[[T:.*]] = 0 to 3 {
// CHECK-NEXT: nest.for %[[A:.*]] = 0 to 2 {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 6 {
// CHECK-NEXT: nest.for %[[B:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "C" (%[[VA:.*]] : spatial = %[[A]] to 2, %[[VK:.*]] : reduce = %[[K]] to 6, %[[VB:.*]] : spatial = %[[B]] to 4) init {
// CHECK: memref.store
// CHECK: memref.load %{{.*}}[%[[VK]], %{{.*}}]
module attributes {transform.with_named_sequence} {
  nest.func @digits(%A: memref<6x8xf32>, %C: memref<8xf32>) {
    nest.for %t = 0 to 3 {
      nest.for %i = 0 to 8 {
        nest.for %k = 0 to 6 {
          nest.block "C" (%vi : spatial = %i to 8, %vk : reduce = %k to 6) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi] : memref<8xf32>
          } {
            %a = memref.load %A[%vk, %vi] : memref<6x8xf32>
            %c = memref.load %C[%vi] : memref<8xf32>
            %s = arith.addf %c, %a : f32
            memref.store %s, %C[%vi] : memref<8xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    transform.nest.transform_block_layout %c to affine_map<(i, k) -> (i floordiv 4, k, i mod 4)>
    transform.yield
  }
}
