// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 6 {
// CHECK: nest.for %{{.*}} = 0 to 8 {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %f:2 = transform.nest.sample_perfect_tile %i max_innermost 16 decision [6, 8] : 2
    %o, %n = transform.nest.split %i by [%f#0, %f#1] : 2
    transform.yield
  }
}

// -----

// Another shape: 7 is the divisor of 35 nearest to 8.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 5 {
// CHECK: nest.for %{{.*}} = 0 to 7 {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<35xf32>, %B: memref<35xf32>) {
    nest.for %i = 0 to 35 {
      nest.block "B" (%v : spatial = %i to 35) {
        %a = memref.load %A[%v] : memref<35xf32>
        memref.store %a, %B[%v] : memref<35xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %f:2 = transform.nest.sample_perfect_tile %i max_innermost 16 decision [6, 8] : 2
    %o, %n = transform.nest.split %i by [%f#0, %f#1] : 2
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// The inner part fills pieces of 4.
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK: nest.for %{{.*}} = 0 to 3 {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %f:3 = transform.nest.sample_partitioned_tile %i partition 1 inner_multiple 4 decision [16, 1, 3] : 3
    %o, %m, %n = transform.nest.split %i by [%f#0, %f#1, %f#2] : 3
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// The likeliest where nothing was decided.
// CHECK: nest.for %{{.*}} = 0 to 12 {
// CHECK: nest.for %{{.*}} = 0 to 4 {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %f = transform.nest.sample_categorical [2, 4, 8] with [0.25, 0.5, 0.25]
    %o, %n = transform.nest.split %i by [-1, %f] : 2
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 8 {
// CHECK: nest.block "P"
// CHECK-NOT: nest.for
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "C" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %l = transform.nest.sample_compute_location %p decision 5
    transform.nest.compute_at %p location %l
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK-NOT: nest.block "P"
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "C" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %l = transform.nest.sample_compute_location %p decision -2
    transform.nest.compute_at %p location %l
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.block "P"
// CHECK: nest.for
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "C" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %l = transform.nest.sample_compute_location %p
    transform.nest.compute_at %p location %l
    transform.yield
  }
}
