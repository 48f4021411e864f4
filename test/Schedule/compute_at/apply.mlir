// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 16 {
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[I]] * 4 + %[[J]] to 64) {
// CHECK: nest.for
// CHECK-NEXT: nest.block "C"
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
    transform.yield
  }
}

// -----

// The consumer under the producer's loop.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 64 {
// CHECK-NEXT: nest.block "P"
// CHECK: nest.block "C" (%{{.*}} : spatial = %[[I]] to 64) {
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
    %i = transform.nest.get_loops %p : 1
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}
