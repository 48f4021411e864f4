// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 16 {
// CHECK-NEXT: nest.alloc : memref<4xf32>
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %c : 2
    transform.nest.compute_at %p at %i
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}

// -----

// What outlives the loop stays.
// CHECK-LABEL: nest.func @f
// CHECK-NEXT: nest.alloc : memref<64xf32>
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}

// -----

// The sum is made in the first iteration of the inner loop and read in the
// second: its buffer stays in the outer one.
// CHECK-LABEL: nest.func @nextIteration
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.alloc : memref<1xf32>
// CHECK-NEXT: nest.for %{{.*}} = 0 to 2 {
// CHECK-NEXT: nest.block "sum"
module attributes {transform.with_named_sequence} {
  nest.func @nextIteration(%A: memref<4x1xf32>, %C: memref<4x1xf32>) {
    %T = nest.alloc : memref<4xf32>
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 2 {
        nest.block "sum" (%v : spatial = %i to 4, %w : reduce = %j to 1) where (-%j >= 0) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %T[%v] : memref<4xf32>
        } {
          %a = memref.load %A[%v, %w] : memref<4x1xf32>
          %b = memref.load %T[%v] : memref<4xf32>
          %s = arith.addf %a, %b : f32
          memref.store %s, %T[%v] : memref<4xf32>
        }
        nest.block "use" (%v : spatial = %i to 4, %w : spatial = %j - 1 to 1) where (%j - 1 >= 0) {
          %t = memref.load %T[%v] : memref<4xf32>
          memref.store %t, %C[%v, %w] : memref<4x1xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
