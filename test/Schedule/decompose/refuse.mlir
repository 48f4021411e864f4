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

// -----

// Each element is computed three times, by a loop that a fused one hides.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %S: memref<8xf32>) {
    nest.for %f = 0 to 24 {
      nest.for %k = 0 to 5 {
        // expected-note @+1 {{each time starts anew; decompose further inside}}
        nest.block "S" (%v : spatial = %f floordiv 3 to 8, %vk : reduce = %k to 5) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x5xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %f, %k = transform.nest.get_loops %s : 2
    // expected-error @+1 {{the loops from loop 0 of block 'S' may compute elements of block 'S' more than once}}
    %z = transform.nest.decompose_reduction %s at %f
    transform.yield
  }
}

// -----

// Another block reads what the init would overwrite.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %S: memref<8xf32>, %T: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this access would come after the init}}
      nest.block "T" (%v : spatial = %i to 8) {
        %s = memref.load %S[%v] : memref<8xf32>
        memref.store %s, %T[%v] : memref<8xf32>
      }
      nest.for %k = 0 to 5 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 5) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x5xf32>
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
    // expected-error @+1 {{block 'T' uses argument 1 inside loop 0 of block 'T' before it is started anew}}
    %z = transform.nest.decompose_reduction %s at %i
    transform.yield
  }
}

// -----

// The second part of a reduce loop never starts the reduction.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        // expected-note @+1 {{another loop starts the reduction}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
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
    %k0, %k1 = transform.nest.loop_partition %k by [2, -1] : 2
    %p = transform.nest.get_block "S_part" in %root : !transform.any_op
    // expected-error @+1 {{the first step of the reduction of block 'S_part' may not be inside loop 1 of block 'S_part'}}
    %z = transform.nest.decompose_reduction %p at %k1
    transform.yield
  }
}

// -----

// The accumulator lives inside the loop.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{decompose inside of that, or before buffers move}}
      %S = nest.alloc : memref<8xf32>
      nest.for %k = 0 to 6 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
      nest.block "B" (%v : spatial = %i to 8) {
        %s = memref.load %S[%v] : memref<8xf32>
        memref.store %s, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %s : 2
    // expected-error @+1 {{a buffer of block 'S' lives inside loop 0 of block 'S'}}
    %z = transform.nest.decompose_reduction %s at %i
    transform.yield
  }
}
