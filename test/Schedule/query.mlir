// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

// expected-note @+1 {{it has the blocks}}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    // expected-error @+1 {{there is no block 'B'}}
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.block "B" (%v : spatial = %i to 4) {
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{there are 1 loops, the schedule expects 2}}
    %i, %j = transform.nest.get_loops %b : 2
    transform.yield
  }
}
