// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Annotations show what was found.
// CHECK-LABEL: nest.func @f
// CHECK: nest.block "P" {{.*}} annotate {note.child, note.producer}
// CHECK: nest.block "C" {{.*}} annotate {note.consumer, note.output}
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 1 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    %x = transform.nest.get_child_blocks %i : 1
    %y = transform.nest.get_producers %c : 1
    %z = transform.nest.get_consumers %p : 1
    %o = transform.nest.get_output_blocks in %root : !transform.any_op, 1
    transform.nest.annotate %x : !transform.op<"nest.block"> "note.child" = unit
    transform.nest.annotate %y : !transform.op<"nest.block"> "note.producer" = unit
    transform.nest.annotate %z : !transform.op<"nest.block"> "note.consumer" = unit
    transform.nest.annotate %o : !transform.op<"nest.block"> "note.output" = unit
    transform.yield
  }
}
