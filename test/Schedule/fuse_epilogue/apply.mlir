// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Bias and ReLU when the sum is complete, and not before.
// CHECK-LABEL: nest.func @f
// CHECK: nest.block "sum" (%[[V:.*]] : spatial = %{{.*}}, %[[K:.*]] : reduce =
// CHECK: %[[R:.*]] = arith.addf
// CHECK: memref.store %[[R]]
// CHECK: %[[END:.*]] = arith.constant 5 : index
// CHECK: %[[LAST:.*]] = arith.cmpi eq, %[[K]], %[[END]]
// CHECK: scf.if %[[LAST]] {
// CHECK: %[[B:.*]] = memref.load %arg1[%[[V]]]
// CHECK: %[[S:.*]] = arith.addf %[[R]], %[[B]]
// CHECK: arith.maximumf %[[S]]
// CHECK: memref.store
// CHECK-NOT: nest.block
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

// After tiles of a reordered nest, with lanes; the other reader sees the sum.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 4 vectorize {
// CHECK: nest.block "sum"
// CHECK: scf.if
// CHECK: nest.block "other"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>, %O: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "other" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        memref.store %c, %O[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    %io, %ii = transform.nest.split %i by [-1, 4] : 2
    %ko, %ki = transform.nest.split %k by [-1, 4] : 2
    transform.nest.reorder %io, %ko, %ki, %ii
    transform.nest.fuse_epilogue %relu into %sum
    transform.nest.vectorize %ii
    transform.yield
  }
}
