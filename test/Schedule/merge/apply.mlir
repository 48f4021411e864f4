// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// What the second reads is there: the element of this iteration.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.block "P" (%{{.*}} : spatial = %[[I]] to 8)
// CHECK-NOT: nest.for
// CHECK: nest.block "C" (%{{.*}} : spatial = %[[I]] to 8)
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 1 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    %l = transform.nest.merge %i, %j
    transform.yield
  }
}

// -----

// Elements of earlier iterations are there, too.
// CHECK-LABEL: nest.func @f
// CHECK: nest.block "P"
// CHECK-NOT: nest.for
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 0 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    %l = transform.nest.merge %i, %j
    transform.yield
  }
}
