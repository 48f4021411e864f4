// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: %[[T:.*]] = nest.alloc [2, symbol(%[[N:.*]])] : memref<2x?xf32>
// CHECK-NEXT: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.block "P" (%[[U:[a-z0-9_]+]] : spatial = %{{[a-z0-9_]+}} to symbol(%[[N]]), %{{[a-z0-9_]+}} : ordered = %[[I]] to 8, %[[V:[a-z0-9_]+]] : ordered = %[[I]] mod 2 to 2) {
// CHECK: memref.store %{{.*}}, %[[T]][%[[V]], %[[U]]] : memref<2x?xf32>
// CHECK: nest.block "C" ({{.*}}, %[[W:[a-z0-9_]+]] : spatial = %[[I]] mod 2 to 2) {
// CHECK: memref.load %[[T]][%[[W]], %{{.*}}] : memref<2x?xf32>
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x?xf32>, %B: memref<8x?xf32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (8, n)>, affine_map<()[n] -> (8, n)>]} {
    nest.for %i = 0 to 8 {
      %T = nest.alloc [symbol(%n)] : memref<?xf32>
      nest.for %j = 0 to symbol(%n) {
        nest.block "P" (%u : spatial = %j to symbol(%n), %o : spatial = %i to 8) {
          %a = memref.load %A[%o, %u] : memref<8x?xf32>
          memref.store %a, %T[%u] : memref<?xf32>
        }
      }
      nest.for %j = 0 to symbol(%n) {
        nest.block "C" (%u : spatial = %i to 8, %v : spatial = %j to symbol(%n)) {
          %a = memref.load %T[%v] : memref<?xf32>
          memref.store %a, %B[%u, %v] : memref<8x?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.double_buffer %p write 0
    transform.yield
  }
}

// -----

// A block that runs once an iteration and writes elsewhere: its elements are the
// same every time, so the version tells no points apart.
// CHECK-LABEL: nest.func @repeated
// CHECK: nest.block "C" (%{{.*}} : spatial = %{{.*}} to 4, %{{.*}} : ordered = %{{.*}} mod 2 to 2) {
module attributes {transform.with_named_sequence} {
  nest.func @repeated(%A: memref<4xf32>, %B: memref<4xf32>) {
    nest.for %t = 0 to 8 {
      %T = nest.alloc : memref<4xf32>
      nest.for %i = 0 to 4 {
        nest.block "P" (%v : spatial = %i to 4) {
          %a = memref.load %A[%v] : memref<4xf32>
          memref.store %a, %T[%v] : memref<4xf32>
        }
      }
      nest.for %i = 0 to 4 {
        nest.block "C" (%v : spatial = %i to 4) {
          %a = memref.load %T[%v] : memref<4xf32>
          memref.store %a, %B[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.double_buffer %p write 0
    transform.yield
  }
}
