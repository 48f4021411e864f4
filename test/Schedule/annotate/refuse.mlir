// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{those that can be set are 'grain', 'grain_sizes', 'note'}}
    nest.for %i = 0 to 8 {
      nest.block "B" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{there is no annotation 'unrol'}}
    transform.nest.annotate %i : !transform.op<"nest.for"> "unrol" = 4
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{the axis of a GPU that the loop is bound to; use bind}}
    nest.for %i = 0 to 8 {
      nest.block "B" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the annotation 'axis' is not set by hand}}
    transform.nest.annotate %i : !transform.op<"nest.for"> "axis" = "block.x"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{the least number of iterations that one thread takes at a time}}
      nest.block "B" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the annotation 'grain' belongs to loops}}
    transform.nest.annotate %b : !transform.op<"nest.block"> "grain" = 4
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{the least number of iterations that one thread takes at a time}}
    nest.for %i = 0 to 8 {
      nest.block "B" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the annotation 'grain' is a positive integer}}
    transform.nest.annotate %i : !transform.op<"nest.for"> "grain" = 0
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
    transform.nest.annotate %root : !transform.any_op "note" = 1
    transform.yield
  }
}
