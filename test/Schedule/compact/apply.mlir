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

// -----

// Of a band along a triangle, the hull of one iteration stays: four elements
// from %i - 3 on.
// CHECK-LABEL: nest.func @band
// CHECK: nest.for %[[I:.*]] = 3 to 16 {
// CHECK-NEXT: nest.alloc : memref<4xf32>
// CHECK: nest.block "P"
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @band(%A: memref<16xf32>, %C: memref<16x16xf32>) {
    %T = nest.alloc : memref<16xf32>
    nest.for %i = 3 to 16 {
      nest.for %j = %i - 3 to %i + 1 {
        nest.block "P" (%v : spatial = %j to 16) {
          %a = memref.load %A[%v] : memref<16xf32>
          memref.store %a, %T[%v] : memref<16xf32>
        }
      }
      nest.for %j = %i - 3 to %i + 1 {
        nest.block "C" (%v : spatial = %i to 16, %w : spatial = %j to 16) {
          %t = memref.load %T[%w] : memref<16xf32>
          memref.store %t, %C[%v, %w] : memref<16x16xf32>
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

// A corner that moves with the reduction is an iterator that reduces: the block
// still has one point for each element that it writes.
// CHECK-LABEL: nest.func @window
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 3 {
// CHECK-NEXT: nest.alloc : memref<1xf32>
// CHECK: nest.block "C" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : reduce = %[[K]] to 3) init {
module attributes {transform.with_named_sequence} {
  nest.func @window(%A: memref<10xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 10 {
      nest.block "P" (%v : spatial = %i to 10) {
        %a = memref.load %A[%v] : memref<10xf32>
        memref.store %a, %T[%v] : memref<10xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 3 {
        nest.block "C" (%v : spatial = %i to 8, %w : reduce = %k to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %s = arith.addi %v, %w : index
          %t = memref.load %T[%s] : memref<10xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %n = arith.addf %c, %t : f32
          memref.store %n, %C[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %c : 2
    transform.nest.compute_at %p at %k
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}

// -----

// %t and %i each tell iterations apart that copy one element: in order.
// CHECK-LABEL: nest.func @skewed
// CHECK: nest.block "copy" (%{{.*}} : spatial = {{.*}}, %{{.*}} : ordered = %{{.*}} to 3, %{{.*}} : ordered = %{{.*}} to 2)
module attributes {transform.with_named_sequence} {
  nest.func @skewed(%A: memref<4xf32>, %B: memref<4xf32>) {
    %T = nest.alloc : memref<4xf32>
    nest.for %t = 0 to 2 {
      nest.for %i = %t to %t + 2 {
        nest.block "make" (%v : spatial = %i - %t to 2, %w : ordered = %t to 2) {
          %x = memref.load %A[%w] : memref<4xf32>
          %c1 = arith.constant 1 : index
          %u = arith.addi %v, %c1 : index
          memref.store %x, %T[%u] : memref<4xf32>
        }
        nest.block "copy" (%v : spatial = %i - %t + 1 to 4) {
          %x = memref.load %T[%v] : memref<4xf32>
          memref.store %x, %B[%v] : memref<4xf32>
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

// The reduction starts at %k = 1: an iterator for %k would not be 0 there, and
// the init would never run. The buffer stays whole.
// CHECK-LABEL: nest.func @shifted
// CHECK: nest.alloc : memref<4xf32>
// CHECK: nest.block "sum" (%{{.*}} : spatial = %{{.*}} to 1, %{{.*}} : reduce = %{{.*}} - 1 to 4) where
module attributes {transform.with_named_sequence} {
  nest.func @shifted(%A: memref<4xf32>, %B: memref<1xf32>) {
    %T = nest.alloc : memref<4xf32>
    nest.for %i = 0 to 1 {
      nest.for %k = 0 to 5 {
        nest.block "make" (%v : spatial = %k - 1 to 4) where (%k - 1 >= 0) {
          %x = memref.load %A[%v] : memref<4xf32>
          memref.store %x, %T[%v] : memref<4xf32>
        }
        nest.block "sum" (%v : spatial = %i to 1, %w : reduce = %k - 1 to 4) where (%k - 1 >= 0) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%v] : memref<1xf32>
        } {
          %x = memref.load %T[%w] : memref<4xf32>
          %b = memref.load %B[%v] : memref<1xf32>
          %s = arith.addf %b, %x : f32
          memref.store %s, %B[%v] : memref<1xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
