// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{an output of the kernel cannot be inlined}}
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{block 'C' writes argument 1}}
    transform.nest.compute_inline %c
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x64xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 64 {
        // expected-note @+1 {{only blocks without reduction}}
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
    // expected-error @+1 {{block 'S' is not complete}}
    transform.nest.compute_inline %s
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>, %B: memref<8x8xf32>) {
    %T = nest.alloc : memref<8x8xf32>
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        nest.block "T" (%v : spatial = %i to 8, %w : spatial = %j to 8) {
          %a = memref.load %A[%v, %w] : memref<8x8xf32>
          memref.store %a, %T[%v, %w] : memref<8x8xf32>
        }
      }
    }
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i + 1 {
        // expected-note @+1 {{would compute what this block never does}}
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %j to 8) {
          %t = memref.load %T[%v, %w] : memref<8x8xf32>
          memref.store %t, %B[%v, %w] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the loops of block 'B' may skip elements of}}
    transform.nest.reverse_compute_inline %b
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 4 {
      nest.block "P" (%v : spatial = %i to 4) {
        %two = arith.constant 2 : index
        %w = arith.muli %v, %two : index
        %a = memref.load %A[%v] : memref<4xf32>
        // expected-note @+1 {{this store}}
        memref.store %a, %T[%w] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "C" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{at indices that do not tell its iterators}}
    transform.nest.compute_inline %p
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<4xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 4 {
      // expected-note-re @+1 {{what they read and write of the buffer of type {{.*}} differs}}
      nest.block "C" (%v : spatial = %i to 4) {
        %two = arith.constant 2 : index
        %w = arith.muli %v, %two : index
        %t = memref.load %T[%w] : memref<8xf32>
        memref.store %t, %C[%v] : memref<4xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{do not run over the same elements}}
    transform.nest.reverse_compute_inline %c
    transform.yield
  }
}

// -----

// %U is another buffer in each iteration of %j; P is outside of it.
module attributes {transform.with_named_sequence} {
  nest.func @lives(%A: memref<4xf32>, %B: memref<4xf32>) {
    %T = nest.alloc : memref<4xf32>
    nest.for %i = 0 to 4 {
      // expected-note @below {{its iterations would share one buffer outside; inline before compact_buffers}}
      nest.block "P" (%v : spatial = %i to 4) {
        %x = memref.load %A[%v] : memref<4xf32>
        memref.store %x, %T[%v] : memref<4xf32>
      }
    }
    nest.for %j = 0 to 4 {
      %U = nest.alloc : memref<1xf32>
      nest.block "C" (%v : spatial = %j to 4) {
        %c0 = arith.constant 0 : index
        %x = memref.load %T[%v] : memref<4xf32>
        memref.store %x, %U[%c0] : memref<1xf32>
      }
      nest.block "D" (%v : spatial = %j to 4) {
        %c0 = arith.constant 0 : index
        %x = memref.load %U[%c0] : memref<1xf32>
        memref.store %x, %B[%v] : memref<4xf32>
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @below {{the buffer of type memref<1xf32> of block 'C' lives in loop 0 of block 'C'}}
    transform.nest.reverse_compute_inline %c
    transform.yield
  }
}

// -----

// X is another one in the next iteration, where T of this one is read.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %C: memref<8x4xf32>) {
    %T = nest.alloc : memref<9xf32>
    %X = nest.alloc : memref<1xf32>
    // expected-note @below {{the buffer of type memref<1xf32>, which it reads, changes in this loop}}
    nest.for %i = 0 to 9 {
      nest.block "Q" (%v : ordered = %i to 9) {
        %z = arith.constant 0 : index
        %a = memref.load %A[%v] : memref<9xf32>
        memref.store %a, %X[%z] : memref<1xf32>
      }
      nest.block "P" (%v : spatial = %i to 9) {
        %z = arith.constant 0 : index
        %a = memref.load %X[%z] : memref<1xf32>
        memref.store %a, %T[%v] : memref<9xf32>
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i - 1 to 8, %w : spatial = %j to 4) where (%i - 1 >= 0) {
          %t = memref.load %T[%v] : memref<9xf32>
          memref.store %t, %C[%v, %w] : memref<8x4xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @below {{block 'C' reads what block 'P' wrote in another iteration of loop 0 of block 'Q'}}
    transform.nest.compute_inline %p
    transform.yield
  }
}

// -----

// P runs two iterations earlier, when X was another one.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %X: memref<1xf32>, %C: memref<9xf32>) {
    %T = nest.alloc : memref<9xf32>
    // expected-note @below {{what else it reads, or what it writes, is used in this loop}}
    nest.for %i = 0 to 11 {
      nest.block "Q" (%v : ordered = %i to 11) {
        %z = arith.constant 0 : index
        %b = memref.load %X[%z] : memref<1xf32>
        %c = arith.addf %b, %b : f32
        memref.store %c, %X[%z] : memref<1xf32>
      }
      nest.block "P" (%v : spatial = %i to 9) where (8 - %i >= 0) {
        %a = memref.load %A[%v] : memref<9xf32>
        memref.store %a, %T[%v] : memref<9xf32>
      }
      nest.block "C" (%v : spatial = %i - 2 to 9) where (%i - 2 >= 0) {
        %z = arith.constant 0 : index
        %t = memref.load %T[%v] : memref<9xf32>
        %x = memref.load %X[%z] : memref<1xf32>
        %s = arith.addf %t, %x : f32
        memref.store %s, %C[%v] : memref<9xf32>
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @below {{block 'C' reads what block 'P' wrote in another iteration of loop 0 of block 'Q'}}
    transform.nest.reverse_compute_inline %c
    transform.yield
  }
}
