module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %f:2 = transform.nest.sample_perfect_tile %i max_innermost 8 decision [4, 4] : 2
    %io, %ii = transform.nest.split %i by [%f#0, %f#1] : 2
    transform.nest.reorder %j, %io
    transform.nest.unroll %ii
    transform.yield
  }
}
