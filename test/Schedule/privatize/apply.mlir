// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// A triangle: no box says what is written, points do.
// CHECK-LABEL: nest.func @triangle
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 parallel
// CHECK-NEXT: nest.alloc : memref<8xf32>
module attributes {transform.with_named_sequence} {
  nest.func @triangle(%A: memref<8xf32>, %B: memref<8x8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i {
        nest.block "P" (%u : spatial = %j to 8) {
          %a = memref.load %A[%u] : memref<8xf32>
          memref.store %a, %T[%u] : memref<8xf32>
        }
      }
      nest.for %j = 0 to %i {
        nest.block "C" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %a = memref.load %T[%v] : memref<8xf32>
          memref.store %a, %B[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %p : 2
    transform.nest.privatize %p write 0 in %i
    transform.nest.parallel %i grain [1]
    transform.yield
  }
}

// -----

// Two writes, of even and of odd elements, and an accumulator of its own.
// CHECK-LABEL: nest.func @halves
// CHECK: nest.for %{{.*}} = 0 to symbol(%{{.*}}) {
// CHECK-NEXT: nest.alloc : memref<8xf32>
module attributes {transform.with_named_sequence} {
  nest.func @halves(%A: memref<8xf32>, %B: memref<?xf32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (8)>, affine_map<()[n] -> (n)>]} {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 4 {
        nest.block "even" (%u : spatial = %j * 2 to 8) {
          %a = memref.load %A[%u] : memref<8xf32>
          memref.store %a, %T[%u] : memref<8xf32>
        }
        nest.block "odd" (%u : spatial = %j * 2 + 1 to 8) {
          %a = memref.load %A[%u] : memref<8xf32>
          memref.store %a, %T[%u] : memref<8xf32>
        }
      }
      nest.for %j = 0 to 8 {
        nest.block "sum" (%u : spatial = %i to symbol(%n), %v : reduce = %j to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%u] : memref<?xf32>
        } {
          %t = memref.load %T[%v] : memref<8xf32>
          %b = memref.load %B[%u] : memref<?xf32>
          %s = arith.addf %b, %t : f32
          memref.store %s, %B[%u] : memref<?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "even" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %p : 2
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}
