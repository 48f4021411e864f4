// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{the caller has one version of it; cache_write gives the block a buffer of its own}}
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{block 'P' writes argument 0}}
    transform.nest.double_buffer %p write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{its values may be carried from one iteration to another; privatize it first}}
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
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
    // expected-error @+1 {{the buffer of type memref<8xf32> lives in no loop}}
    transform.nest.double_buffer %p write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    // expected-note @+1 {{iterations that run at once cannot take turns with two versions}}
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
    // expected-error @+1 {{loop 0 of block 'P' is parallel}}
    transform.nest.double_buffer %p write 0
    transform.yield
  }
}
