// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      // expected-note @+1 {{only reductions with init can be decomposed}}
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{block 'B' has no init}}
    %z = transform.nest.decompose_reduction %b at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x64xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this loop feeds a reduce iterator; the init must go outside of it}}
      nest.for %k = 0 to 64 {
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
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %s : 2
    transform.nest.reorder %k, %i
    // expected-error @+1 {{is inside a reduction loop of block 'S'}}
    %z = transform.nest.decompose_reduction %s at %i
    transform.yield
  }
}
