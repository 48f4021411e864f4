// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{of this loop}}
      nest.for %k = 0 to 10 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    // expected-error @+1 {{split_k makes two parts or more, not 1}}
    %p = transform.nest.split_k %k into [1] axis 0
    transform.yield
  }
}

// -----

// What split refuses.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{split loops before giving them a kind}}
      nest.for %k = 0 to 10 unroll {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    // expected-error @+1 {{loop 1 of block 'S' is unroll}}
    %p = transform.nest.split_k %k into [4] axis 0
    transform.yield
  }
}

// -----

// What rfactor refuses leaves the loop as it was.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>) {
    // expected-note @+1 {{only reduction loops can be factored}}
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 10 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    // expected-error @+1 {{loop 0 of block 'S' feeds no reduce iterator}}
    %p = transform.nest.split_k %i into [4] axis 0
    transform.yield
  }
}
