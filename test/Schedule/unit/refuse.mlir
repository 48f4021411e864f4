// RUN: nestor-opt %s --transform-interpreter --verify-diagnostics

// expected-note @+1 {{this is neither}}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    // expected-error @+1 {{only loops and blocks can be wrapped into a loop}}
    %u = transform.nest.add_unit_loop %root : !transform.any_op
    transform.yield
  }
}
