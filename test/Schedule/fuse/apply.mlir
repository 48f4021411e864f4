// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[F:.*]] = 0 to 32 {
// CHECK-NEXT: nest.block "B" (%{{.*}} : spatial = %[[F]] floordiv 4 to 8, %{{.*}} : spatial = %[[F]] mod 4 to 4)
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
    %f = transform.nest.fuse %i, %j
    transform.yield
  }
}

// -----

// Fusing what was split gives back the old variable.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[F:.*]] = 0 to 100 {
// CHECK-NEXT: nest.block "B" (%{{.*}} : spatial = %[[F]] to 100) {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %o, %n = transform.nest.split %i by [-1, 4] : 2
    %f = transform.nest.fuse %o, %n
    transform.yield
  }
}
