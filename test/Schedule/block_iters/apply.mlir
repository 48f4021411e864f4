// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.block "B" (%[[V:.*]] : spatial = %{{.*}} to 4, %[[U:.*]] : spatial = %{{.*}} to 8) {
// CHECK-NEXT: memref.load %{{.*}}[%[[U]], %[[V]]]
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    transform.nest.reorder_block_iters %b to [1, 0]
    transform.yield
  }
}

// -----

// The init is renamed with the body.
// CHECK-LABEL: nest.func @f
// CHECK: nest.block "S" (%[[K:.*]] : reduce = %{{.*}} to 5, %[[V:.*]] : spatial = %{{.*}} to 8)
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[I:.*]]]
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 5 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 5) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x5xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    transform.nest.reorder_block_iters %b to [1, 0]
    transform.yield
  }
}
