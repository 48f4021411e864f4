// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{here}}
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
    // expected-error @+1 {{loop 0 of block 'B' has no annotation 'hint'}}
    transform.nest.unannotate %i : !transform.op<"nest.for"> "hint"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{a bound loop needs one; bind it to another}}
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
    transform.nest.bind %i to "block.x"
    // expected-error @+1 {{the axis of loop 0 of block 'B' is part of its kind}}
    transform.nest.unannotate %i : !transform.op<"nest.for"> "axis"
    transform.yield
  }
}

// -----

// expected-note @+1 {{this is neither}}
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>) {
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    // expected-error @+1 {{only loops and blocks carry annotations}}
    transform.nest.unannotate %root : !transform.any_op "hint"
    transform.yield
  }
}
