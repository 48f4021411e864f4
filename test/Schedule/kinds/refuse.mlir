// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x64xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 64 {
        // expected-note @+1 {{all its iterations update the same elements of argument 1; take a spatial loop, or rfactor this one}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 64) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x64xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 1 of block 'S' feeds a reduce iterator of block 'S'}}
    transform.nest.parallel %k grain [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{its iterations must run in order}}
        nest.block "B" (%u : ordered = %i to 8, %v : ordered = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %A[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{feeds an ordered iterator}}
    transform.nest.vectorize %j
    transform.yield
  }
}
