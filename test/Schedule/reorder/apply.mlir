// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[J:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "B" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : spatial = %[[J]] to 4)
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
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.reorder %j, %i
    transform.yield
  }
}

// -----

// Ordered iterators whose dependences rise with both loops may change places.
// CHECK-LABEL: nest.func @rising
// CHECK: nest.for %[[J:.*]] = 0 to 4
// CHECK: nest.for %[[I:.*]] = 0 to 8
// CHECK: (%{{.*}} : ordered = %[[I]] to 8, %{{.*}} : ordered = %[[J]] to 4)
module attributes {transform.with_named_sequence} {
  nest.func @rising(%A: memref<9x5xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : ordered = %i to 8, %v : ordered = %j to 4) {
          %one = arith.constant 1 : index
          %u1 = arith.addi %u, %one : index
          %v1 = arith.addi %v, %one : index
          %a = memref.load %A[%u, %v] : memref<9x5xf32>
          memref.store %a, %A[%u1, %v1] : memref<9x5xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.reorder %j, %i
    transform.yield
  }
}
