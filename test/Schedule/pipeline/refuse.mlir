// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{its iterations are not one after the other}}
    nest.for %i = 0 to 8 parallel {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{loop 0 of block 'P' is parallel}}
    transform.nest.pipeline %i stages [0, 1] order [1, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{give one of each to everything directly inside}}
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{loop 0 of block 'P' holds 2 loops and blocks, there are 3 stages and 2 positions}}
    transform.nest.pipeline %i stages [0, 1, 2] order [1, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      // expected-note @+1 {{each stage is one more iteration outside of the loop}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{stage 100 of block 'Q' is not between 0 and 16}}
    transform.nest.pipeline %i stages [0, 100] order [1, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{position 0 is not taken exactly once}}
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{the order is no permutation of 0 to 1}}
    transform.nest.pipeline %i stages [0, 1] order [1, 1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{the first iteration would be empty; count stages from 0}}
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{nothing in loop 0 of block 'P' has stage 0}}
    transform.nest.pipeline %i stages [1, 2] order [1, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{there is nothing to overlap}}
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{all stages are 0 and the order is the same}}
    transform.nest.pipeline %i stages [0, 0] order [0, 1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{nothing would be left in the loop; take fewer stages}}
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{loop 0 of block 'P' has 8 iterations, the last stage is 8}}
    transform.nest.pipeline %i stages [0, 8] order [1, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>, %n: index) {
    // expected-note @+1 {{its first and last iteration are no single expressions; split its domain first}}
    nest.for %i = 0 to min(8, symbol(%n)) {
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{the bounds of loop 0 of block 'P' are lists}}
    transform.nest.pipeline %i stages [0, 1] order [1, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<8xf32>
      // expected-note @+1 {{this access comes first}}
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      // expected-note @+1 {{this one would not follow it any more; give it a later stage or position, or privatize the buffer first}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'Q' needs the buffer of type memref<8xf32> after block 'P'}}
    transform.nest.pipeline %i stages [1, 0] order [0, 1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this one would not follow it any more; give it a later stage or position}}
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<9xf32>
      }
      // expected-note @+1 {{this access comes first}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %z = arith.constant 1.0 : f32
        %next = arith.addi %u, %one : index
        memref.store %z, %A[%next] : memref<9xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'P' needs argument 0 after block 'Q'}}
    transform.nest.pipeline %i stages [0, 1] order [0, 1]
    transform.yield
  }
}
