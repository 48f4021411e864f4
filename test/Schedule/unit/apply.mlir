// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 1 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 100 {
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
    %u = transform.nest.add_unit_loop %i : !transform.op<"nest.for">
    transform.yield
  }
}
