// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK-NOT: nest.alloc
// CHECK-NOT: nest.block "P"
// CHECK: nest.for %{{.*}} = 0 to 16 {
// CHECK: nest.block "C"
// CHECK: arith.mulf
// CHECK: arith.negf
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
    transform.nest.compute_inline %p
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK-NOT: nest.alloc
// CHECK: nest.for %{{.*}} = 0 to 64 {
// CHECK: nest.block "P"
// CHECK: arith.mulf
// CHECK: arith.negf
// CHECK-NOT: nest.block "C"
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
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    transform.nest.reverse_compute_inline %c
    transform.yield
  }
}

// -----

// Elements in another order than iterators.
// CHECK-LABEL: nest.func @flat
// CHECK-NOT: nest.block "P"
// CHECK: nest.block "C" (%[[V:.*]] : spatial = {{.*}}, %[[W:.*]] : spatial
// CHECK: %[[M:.*]] = arith.muli %[[V]], %c8
// CHECK: %[[S:.*]] = arith.addi %[[M]], %[[W]]
// CHECK: memref.load %{{.*}}[%[[S]]]
module attributes {transform.with_named_sequence} {
  nest.func @flat(%A: memref<32xf32>, %C: memref<4x8xf32>) {
    %T = nest.alloc : memref<4x8xf32>
    nest.for %i = 0 to 32 {
      nest.block "P" (%v : spatial = %i to 32) {
        %c8 = arith.constant 8 : index
        %q = arith.divui %v, %c8 : index
        %r = arith.remui %v, %c8 : index
        %a = memref.load %A[%v] : memref<32xf32>
        memref.store %a, %T[%q, %r] : memref<4x8xf32>
      }
    }
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 8 {
        nest.block "C" (%v : spatial = %i to 4, %w : spatial = %j to 8) {
          %t = memref.load %T[%v, %w] : memref<4x8xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v, %w] : memref<4x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.compute_inline %p
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @back
// CHECK: nest.block "P" (%[[V:.*]] : spatial
// CHECK: memref.store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : memref<4x8xf32>
// CHECK-NOT: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @back(%A: memref<32xf32>, %C: memref<4x8xf32>) {
    %T = nest.alloc : memref<4x8xf32>
    nest.for %i = 0 to 32 {
      nest.block "P" (%v : spatial = %i to 32) {
        %c8 = arith.constant 8 : index
        %q = arith.divui %v, %c8 : index
        %r = arith.remui %v, %c8 : index
        %a = memref.load %A[%v] : memref<32xf32>
        memref.store %a, %T[%q, %r] : memref<4x8xf32>
      }
    }
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 8 {
        nest.block "C" (%v : spatial = %i to 4, %w : spatial = %j to 8) {
          %t = memref.load %T[%v, %w] : memref<4x8xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v, %w] : memref<4x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    transform.nest.reverse_compute_inline %c
    transform.yield
  }
}
