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

// -----

// A triangle is needed: a triangle is computed, without a predicate.
// CHECK-LABEL: nest.func @triangle
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to %[[I]] + 1 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[K]] to 8) {
// CHECK: nest.for %[[J:.*]] = 0 to %[[I]] + 1 {
// CHECK-NEXT: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @triangle(%A: memref<8xf32>, %C: memref<8x8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i + 1 {
        nest.block "C" (%v : spatial = %i to 8, %w : spatial = %j to 8) {
          %t = memref.load %T[%w] : memref<8xf32>
          memref.store %t, %C[%v, %w] : memref<8x8xf32>
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

// The producer's own triangle stays one; of a band of rows that a window reads,
// only what is in it.
// CHECK-LABEL: nest.func @band
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK-NEXT: nest.for %[[R:.*]] = %[[I]] to %[[I]] + 3 {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to %[[R]] + 1 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[R]] to 8, %{{.*}} : reduce = %[[K]] to 8) init {
module attributes {transform.with_named_sequence} {
  nest.func @band(%A: memref<8x8xf32>, %C: memref<6xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to %i + 1 {
        nest.block "P" (%v : spatial = %i to 8, %w : reduce = %k to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %T[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %w] : memref<8x8xf32>
          %t = memref.load %T[%v] : memref<8xf32>
          %s = arith.addf %t, %a : f32
          memref.store %s, %T[%v] : memref<8xf32>
        }
      }
    }
    nest.for %i = 0 to 6 {
      nest.block "C" (%v : spatial = %i to 6) {
        %one = arith.constant 1 : index
        %two = arith.constant 2 : index
        %v1 = arith.addi %v, %one : index
        %v2 = arith.addi %v, %two : index
        %a = memref.load %T[%v] : memref<8xf32>
        %b = memref.load %T[%v1] : memref<8xf32>
        %c = memref.load %T[%v2] : memref<8xf32>
        %ab = arith.addf %a, %b : f32
        %abc = arith.addf %ab, %c : f32
        memref.store %abc, %C[%v] : memref<6xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %c : 1
    transform.nest.compute_at %p at %i
    transform.yield
  }
}

// -----

// Elements in another order than iterators, and two outputs.
// CHECK-LABEL: nest.func @order
// CHECK: nest.for %[[I:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[J:.*]] = %[[I]] * 8 to %[[I]] * 8 + 8 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[J]] to 32) {
module attributes {transform.with_named_sequence} {
  nest.func @order(%A: memref<32xf32>, %C: memref<4x8xf32>) {
    %T = nest.alloc : memref<4x8xf32>
    %U = nest.alloc : memref<4x8xf32>
    nest.for %i = 0 to 32 {
      nest.block "P" (%v : spatial = %i to 32) {
        %c8 = arith.constant 8 : index
        %q = arith.divui %v, %c8 : index
        %r = arith.remui %v, %c8 : index
        %a = memref.load %A[%v] : memref<32xf32>
        %n = arith.negf %a : f32
        memref.store %a, %T[%q, %r] : memref<4x8xf32>
        memref.store %n, %U[%q, %r] : memref<4x8xf32>
      }
    }
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 8 {
        nest.block "C" (%v : spatial = %i to 4, %w : spatial = %j to 8) {
          %t = memref.load %T[%v, %w] : memref<4x8xf32>
          %u = memref.load %U[%v, %w] : memref<4x8xf32>
          %s = arith.mulf %t, %u : f32
          memref.store %s, %C[%v, %w] : memref<4x8xf32>
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

// What an iteration wrote of a triangle, the consumer runs through.
// CHECK-LABEL: nest.func @reverse
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.block "P"
// CHECK: nest.for %[[J:.*]] = 0 to %[[I]] + 1 {
// CHECK-NEXT: nest.block "C" (%{{.*}} : spatial = %[[J]] to 8, %{{.*}} : spatial = %[[I]] to 8) {
module attributes {transform.with_named_sequence} {
  nest.func @reverse(%A: memref<8x8xf32>, %C: memref<8x8xf32>) {
    %T = nest.alloc : memref<8x8xf32>
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i + 1 {
        nest.block "P" (%v : spatial = %i to 8, %w : spatial = %j to 8) {
          %a = memref.load %A[%v, %w] : memref<8x8xf32>
          memref.store %a, %T[%v, %w] : memref<8x8xf32>
        }
      }
    }
    nest.for %i = 0 to 8 {
      nest.for %j = %i to 8 {
        nest.block "C" (%v : spatial = %i to 8, %w : spatial = %j to 8) {
          %t = memref.load %T[%w, %v] : memref<8x8xf32>
          memref.store %t, %C[%v, %w] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %p : 2
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}

// -----

// Only the iteration that writes the element runs the consumer.
// CHECK-LABEL: nest.func @one
// CHECK: nest.for %[[I:.*]] = 0 to 9 {
// CHECK: nest.block "C" (%{{.*}} : spatial = 0 to 1) where (%[[I]] - 2 >= 0, -%[[I]] + 2 >= 0) {
module attributes {transform.with_named_sequence} {
  nest.func @one(%A: memref<9xf32>, %C: memref<1xf32>) {
    %T = nest.alloc : memref<9xf32>
    nest.for %i = 0 to 9 {
      nest.block "P" (%v : spatial = %i to 9) {
        %a = memref.load %A[%v] : memref<9xf32>
        memref.store %a, %T[%v] : memref<9xf32>
      }
    }
    nest.for %j = 0 to 1 {
      nest.block "C" (%v : spatial = %j to 1) {
        %two = arith.constant 2 : index
        %w = arith.muli %v, %two : index
        %x = arith.addi %w, %two : index
        %t = memref.load %T[%x] : memref<9xf32>
        memref.store %t, %C[%v] : memref<1xf32>
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

// -----

// Rows of %R from before are gone: C runs in the iteration of %i in which it ran.
// CHECK-LABEL: nest.func @rolled
// CHECK: nest.block "Q_first"
// CHECK: nest.for %[[I:.*]] = 0 to 4 {
// CHECK: nest.block "Q"
// CHECK: nest.for %[[R:.*]] = 0 to 3 {
// CHECK: nest.block "P"
// CHECK: nest.for %[[J:.*]] = %[[I]] to %[[I]] + %[[R]] floordiv 2 {
// CHECK-NEXT: nest.block "C" (%{{.*}} : spatial = %[[J]] to 4) {
module attributes {transform.with_named_sequence} {
  nest.func @rolled(%A: memref<9xf32>, %C: memref<4xf32>) {
    %T = nest.alloc : memref<9xf32>
    %R = nest.alloc : memref<9xf32>
    nest.for %i = 0 to 4 {
      nest.for %r = 0 to 3 {
        nest.block "Q" (%v : spatial = %i * 2 + %r to 9) {
          %a = memref.load %A[%v] : memref<9xf32>
          memref.store %a, %R[%v] : memref<9xf32>
        }
      }
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i * 2 + %r to 9) {
          %a = memref.load %A[%v] : memref<9xf32>
          memref.store %a, %T[%v] : memref<9xf32>
        }
      }
      nest.block "C" (%v : spatial = %i to 4) {
        %two = arith.constant 2 : index
        %w = arith.muli %v, %two : index
        %x = arith.addi %w, %two : index
        %t = memref.load %T[%x] : memref<9xf32>
        %q = memref.load %R[%w] : memref<9xf32>
        %s = arith.addf %t, %q : f32
        memref.store %s, %C[%v] : memref<4xf32>
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    transform.nest.rolling_buffer %q write 0
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %p : 2
    transform.nest.reverse_compute_at %c at %r
    transform.yield
  }
}
