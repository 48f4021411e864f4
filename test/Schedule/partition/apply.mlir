// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 6 {
// CHECK: nest.block "B"
// CHECK-NOT: where
// CHECK: nest.for %{{.*}} = 6 to 7 {
// CHECK: nest.block "B_tail" {{.*}} where
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
    %o, %n = transform.nest.split %i by [-1, 16] : 2
    %f, %r = transform.nest.separate_full_partial %o
    transform.yield
  }
}
