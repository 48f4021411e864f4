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
        // expected-note @+1 {{an output of the kernel must be computed whole; move its consumers with reverse_compute_at instead}}
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'C' writes argument 1}}
    transform.nest.compute_at %c at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    // expected-note @+1 {{choose a loop of another block}}
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @+1 {{block 'P' is inside that loop already}}
    transform.nest.compute_at %p at %i
    transform.yield
  }
}

// -----

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
    // expected-note @+1 {{use compute_at for producers}}
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %c : 2
    // expected-error @+1 {{block 'P' comes before the loop}}
    transform.nest.reverse_compute_at %p at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = %i to 8 {
        // expected-note @+1 {{an element computed again would not start anew}}
        nest.block "T" (%v : spatial = %i to 8, %w : reduce = %k to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %T[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %w] : memref<8x8xf32>
          %t = memref.load %T[%v] : memref<8xf32>
          %s = arith.addf %t, %a : f32
          memref.store %s, %T[%v] : memref<8xf32>
        }
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %t = transform.nest.get_block "T" in %root : !transform.any_op
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the reduction of block 'T' starts elsewhere than at the first step}}
    transform.nest.compute_at %t at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 4 {
      // expected-note @+1 {{which ones cannot be said of its iterators}}
      nest.block "P" (%v : spatial = %i * 2 to 8) where ((%i * 3) mod 4 - 1 >= 0) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the loops of block 'P' may skip points of its domain}}
    transform.nest.compute_at %p at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<16xf32>
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 2 {
        // expected-note @+1 {{it cannot be told which iterations are needed}}
        nest.block "P" (%v : spatial = %i to 8, %w : spatial = %j to 2) {
          %a = memref.load %A[%v] : memref<8xf32>
          %s = arith.addi %v, %w : index
          memref.store %a, %T[%s] : memref<16xf32>
        }
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<16xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{at indices that do not tell its iterators}}
    transform.nest.compute_at %p at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    %U = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %c7 = arith.constant 7 : index
        %w = arith.subi %c7, %v : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
        // expected-note @+1 {{all outputs must be written at the same ones}}
        memref.store %a, %U[%w] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        %u = memref.load %U[%v] : memref<8xf32>
        %s = arith.addf %t, %u : f32
        memref.store %s, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{block 'P' writes at different indices}}
    transform.nest.compute_at %p at %i
    transform.yield
  }
}

// -----

// Where the padding is nothing is read: no iteration of %i would run it.
nest.func @sometimes(%A: memref<4xf32>, %B: memref<6xf32>) {
  %T = nest.alloc : memref<4xf32>
  nest.for %i = 0 to 4 {
    nest.block "P" (%v : spatial = %i to 4) {
      %x = memref.load %A[%v] : memref<4xf32>
      memref.store %x, %T[%v] : memref<4xf32>
    }
  }
  nest.for %j = 0 to 6 {
    nest.block "C" (%v : spatial = %j to 6) {
      %c4 = arith.constant 4 : index
      %z = arith.constant 0.0 : f32
      %inside = arith.cmpi slt, %v, %c4 : index
      %x = scf.if %inside -> f32 {
        // expected-note @below {{it runs also where it does not read; decompose_padding takes such a block apart}}
        %y = memref.load %T[%v] : memref<4xf32>
        scf.yield %y : f32
      } else {
        scf.yield %z : f32
      }
      memref.store %x, %B[%v] : memref<6xf32>
    }
  }
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @below {{block 'C' reads the buffer of type memref<4xf32> only sometimes}}
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}

// -----

nest.func @lives(%A: memref<4xf32>, %B: memref<4xf32>) {
  %T = nest.alloc : memref<4xf32>
  nest.for %i = 0 to 4 {
    nest.block "P" (%v : spatial = %i to 4) {
      %x = memref.load %A[%v] : memref<4xf32>
      memref.store %x, %T[%v] : memref<4xf32>
    }
  }
  nest.for %j = 0 to 4 {
    %U = nest.alloc : memref<4xf32>
    // expected-note @below {{its iterations would share one buffer outside; move blocks before compact_buffers}}
    nest.block "C" (%v : spatial = %j to 4) {
      %x = memref.load %T[%v] : memref<4xf32>
      memref.store %x, %U[%v] : memref<4xf32>
    }
    nest.block "D" (%v : spatial = %j to 4) {
      %x = memref.load %U[%v] : memref<4xf32>
      memref.store %x, %B[%v] : memref<4xf32>
    }
  }
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @below {{of block 'C' lives in loop 0 of block 'C'}}
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{move blocks before buffers move}}
      %T = nest.alloc : memref<1xf32>
      nest.for %u = 0 to 1 {
        nest.block "P" (%v : spatial = %i to 8) {
          %z = arith.constant 0 : index
          %a = memref.load %A[%v] : memref<8xf32>
          memref.store %a, %T[%z] : memref<1xf32>
        }
      }
      nest.block "C" (%v : spatial = %i to 8) {
        %z = arith.constant 0 : index
        %t = memref.load %T[%z] : memref<1xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %u = transform.nest.get_loops %p : 2
    // expected-error @+1 {{of block 'C' lives inside loop 0 of block 'P'}}
    transform.nest.reverse_compute_at %c at %u
    transform.yield
  }
}

// -----

// %v + 2 of a single point: the iterations of %i before the last have not
// written it.
nest.func @fixed(%A: memref<3xf32>, %B: memref<1xf32>) {
  %T = nest.alloc : memref<3xf32>
  nest.for %i = 0 to 3 {
    nest.block "P" (%v : spatial = %i to 3) {
      %x = memref.load %A[%v] : memref<3xf32>
      memref.store %x, %T[%v] : memref<3xf32>
    }
  }
  nest.for %j = 0 to 1 {
    nest.block "C" (%v : spatial = %j to 1) {
      %c2 = arith.constant 2 : index
      // expected-note @below {{not every iteration of the loop writes it}}
      %x = memref.load %T[%c2] : memref<3xf32>
      memref.store %x, %B[%v] : memref<1xf32>
    }
  }
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @below {{block 'C' reads the buffer of type memref<3xf32> at a place that is the same for all of its iterations}}
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}

// -----

// Q comes after the loop that C would move into.
nest.func @besides(%A: memref<4xf32>, %B: memref<4x2xf32>) {
  %T = nest.alloc : memref<4x2xf32>
  %U = nest.alloc : memref<4xf32>
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 2 {
      nest.block "P" (%v : spatial = %i to 4, %w : spatial = %j to 2) {
        %x = memref.load %A[%v] : memref<4xf32>
        memref.store %x, %T[%v, %w] : memref<4x2xf32>
      }
    }
    // expected-note @below {{it is not in the loop; choose a loop that holds all producers}}
    nest.block "Q" (%v : spatial = %i to 4) {
      %x = memref.load %A[%v] : memref<4xf32>
      memref.store %x, %U[%v] : memref<4xf32>
    }
  }
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 2 {
      nest.block "C" (%v : spatial = %i to 4, %w : spatial = %j to 2) {
        %x = memref.load %T[%v, %w] : memref<4x2xf32>
        %y = memref.load %U[%v] : memref<4xf32>
        %z = arith.addf %x, %y : f32
        memref.store %z, %B[%v, %w] : memref<4x2xf32>
      }
    }
  }
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %p : 2
    // expected-error @below {{block 'Q' writes the buffer of type memref<4xf32>, which block 'C' reads}}
    transform.nest.reverse_compute_at %c at %j
    transform.yield
  }
}

// -----

// Each iteration of the loop that C would leave fills U, then D changes it.
nest.func @again(%A: memref<4xf32>, %B: memref<2x4xf32>) {
  %T = nest.alloc : memref<4xf32>
  %U = nest.alloc : memref<4xf32>
  nest.for %i = 0 to 4 {
    nest.block "P" (%v : spatial = %i to 4) {
      %x = memref.load %A[%v] : memref<4xf32>
      memref.store %x, %T[%v] : memref<4xf32>
    }
  }
  nest.for %r = 0 to 2 {
    nest.for %i = 0 to 4 {
      nest.block "C" (%v : spatial = %i to 4) {
        %x = memref.load %T[%v] : memref<4xf32>
        memref.store %x, %U[%v] : memref<4xf32>
      }
    }
    // expected-note @below {{it would see another order}}
    nest.block "D" (%u : spatial = %r to 2) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %U[%u] : memref<4xf32>
    }
    nest.for %i = 0 to 4 {
      nest.block "E" (%u : spatial = %r to 2, %v : spatial = %i to 4) {
        %x = memref.load %U[%v] : memref<4xf32>
        memref.store %x, %B[%u, %v] : memref<2x4xf32>
      }
    }
  }
}
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @below {{block 'D' uses the buffer of type memref<4xf32>, which block 'C' writes}}
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xf32>, %T: memref<8xf32>, %C: memref<8xf32>) {
    nest.for %i = 0 to 4 {
      nest.block "P" (%v : spatial = %i to 4) {
        %a = memref.load %A[%v] : memref<4xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        // expected-note @below {{this read; no iteration would run its point}}
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    // expected-error @below {{block 'C' may read elements of argument 1 that nothing under the loop writes}}
    transform.nest.reverse_compute_at %c at %i
    transform.yield
  }
}

// -----

// X is another one in the next iteration, where T of this one is read.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %C: memref<8x4xf32>) {
    %T = nest.alloc : memref<9xf32>
    %X = nest.alloc : memref<1xf32>
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
        // expected-note @below {{it would be computed from other values}}
        nest.block "C" (%v : spatial = %i - 1 to 8, %w : spatial = %j to 4) where (%i - 1 >= 0) {
          %t = memref.load %T[%v] : memref<9xf32>
          memref.store %t, %C[%v, %w] : memref<8x4xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %c : 2
    // expected-error @below {{block 'C' reads the buffer of type memref<9xf32> of another iteration of loop 0 of block 'Q', in which the buffer of type memref<1xf32> of block 'P' changes}}
    transform.nest.compute_at %p at %r
    transform.yield
  }
}
