// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{what is written there is seen outside; cache_write gives the block a buffer of its own}}
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'P' writes argument 0}}
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'P' writes 1 buffers, there is no write 3}}
    transform.nest.privatize %p write 3 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this block}}
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    %i = transform.nest.get_loops %q : 1
    // expected-error @+1 {{loop 0 of block 'Q' is not around block 'P'}}
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{each iteration has its own}}
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
    // expected-error @+1 {{the buffer of type memref<8xf32> lives in loop 0 of block 'P' already}}
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    // expected-note @+1 {{lanes have no buffers of their own; name a loop around it}}
    nest.for %i = 0 to 8 vectorize {
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
    // expected-error @+1 {{loop 0 of block 'P' is vectorize}}
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{it would not see what the iterations wrote; move it into the loop}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'Q' uses the buffer of type memref<8xf32> outside of loop 0 of block 'P'}}
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %zero = arith.constant 0 : index
        %down = arith.subi %u, %one : index
        %before = arith.maxsi %down, %zero : index
        // expected-note @+1 {{this read may see what another iteration wrote}}
        %a = memref.load %T[%before] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'Q' reads elements of the buffer of type memref<8xf32> that its own iteration of loop 0 of block 'P' is not shown to have written before}}
    transform.nest.privatize %p write 0 in %i
    transform.yield
  }
}
