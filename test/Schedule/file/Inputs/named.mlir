module attributes {transform.with_named_sequence} {
  transform.named_sequence @g(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    transform.nest.vectorize %i
    transform.yield
  }
  transform.named_sequence @f(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    transform.nest.unroll %i
    transform.yield
  }
}
