// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 8 annotate {note.other = 2 : i64} {
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK: nest.block "B" ({{.*}}) {
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
    transform.nest.annotate %i : !transform.op<"nest.for"> "note" = 1
    transform.nest.annotate %i : !transform.op<"nest.for"> "note.other" = 2
    transform.nest.annotate %b : !transform.op<"nest.block"> "note" = 3
    transform.nest.unannotate %i : !transform.op<"nest.for"> "note"
    transform.nest.unannotate %b : !transform.op<"nest.block"> "note"
    transform.yield
  }
}
