// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 8 parallel annotate {grain = 3 : i64, note = "x"} {
// CHECK: nest.for %{{.*}} = 0 to 4 vectorize {
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
    transform.nest.parallel %i grain [3]
    transform.nest.vectorize %j
    transform.nest.annotate %i : !transform.op<"nest.for"> "note" = "x"
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 8 unroll {
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
    transform.nest.unroll %i
    transform.yield
  }
}

// -----

// A buffer of one iteration moves into the loop: each thread has its own.
// CHECK-LABEL: nest.func @f
// CHECK-NOT: nest.alloc
// CHECK: nest.for %{{.*}} = 0 to 8 parallel annotate {grain = 1 : i64} {
// CHECK-NEXT: nest.alloc : memref<8x4xf32>
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    %T = nest.alloc : memref<8x4xf32>
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "T" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %T[%u, %v] : memref<8x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %T[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.parallel %i grain [1]
    transform.yield
  }
}
