// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x32xf32>, %B: memref<8x32xf32>, %N: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 32 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 32) {
          %a = memref.load %A[%v, %w] : memref<8x32xf32>
          memref.store %a, %B[%v, %w] : memref<8x32xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{block 'B' reads 1 buffers, there is no read 1}}
    transform.nest.prefetch %b read 1 in %k distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this block}}
      nest.block "B" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "C" (%v : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %c : 1
    // expected-error @+1 {{loop 0 of block 'C' is not around block 'B'}}
    transform.nest.prefetch %b read 0 in %i distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x32xf32>, %B: memref<8x32xf32>, %N: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{what this iteration reads comes too late to ask for}}
      nest.for %k = 0 to 32 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 32) {
          %a = memref.load %A[%v, %w] : memref<8x32xf32>
          memref.store %a, %B[%v, %w] : memref<8x32xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the distance 0 is not positive}}
    transform.nest.prefetch %b read 0 in %k distance [0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x32xf32>, %B: memref<8x32xf32>, %N: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{its lanes read at the same time; name a loop around it}}
      nest.for %k = 0 to 32 vectorize {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 32) {
          %a = memref.load %A[%v, %w] : memref<8x32xf32>
          memref.store %a, %B[%v, %w] : memref<8x32xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 1 of block 'B' is vectorize}}
    transform.nest.prefetch %b read 0 in %k distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x32xf32>, %B: memref<8x32xf32>, %N: memref<8xi32>) {
    // expected-note @+1 {{a later iteration may be another worker's; name a loop inside}}
    nest.for %i = 0 to 8 parallel {
      nest.for %k = 0 to 32 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 32) {
          %a = memref.load %A[%v, %w] : memref<8x32xf32>
          memref.store %a, %B[%v, %w] : memref<8x32xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 0 of block 'B' is parallel}}
    transform.nest.prefetch %b read 0 in %i distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x32xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{a later iteration has another one}}
      %T = nest.alloc : memref<8x32xf32>
      nest.for %k = 0 to 32 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 32) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %T[%v, %w] : memref<8x32xf32>
          %a = memref.load %T[%v, %w] : memref<8x32xf32>
          memref.store %a, %A[%v, %w] : memref<8x32xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the buffer of type memref<8x32xf32> lives in loop 0 of block 'B'}}
    transform.nest.prefetch %b read 0 in %i distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x32xf32>, %B: memref<8x32xf32>, %N: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 32 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 32) {
          %n = memref.load %N[%v] : memref<8xi32>
          %r = arith.index_cast %n : i32 to index
          // expected-note @+1 {{where a later iteration reads is not known before}}
          %a = memref.load %A[%r, %w] : memref<8x32xf32>
          memref.store %a, %B[%v, %w] : memref<8x32xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{block 'B' reads argument 0 at indices that come from data}}
    transform.nest.prefetch %b read 1 in %k distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x2048xf32>, %B: memref<8x2048xf32>, %N: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 2048 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 2048) {
          // expected-note @+1 {{name a loop further inside, or split it}}
          %a = memref.load %A[%v, %w] : memref<8x2048xf32>
          memref.store %a, %B[%v, %w] : memref<8x2048xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{an iteration of loop 0 of block 'B' reads more of argument 0 than 4096 bytes, or it is not known how much}}
    transform.nest.prefetch %b read 0 in %i distance [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 8 {
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %k to 8) {
          // expected-note @+1 {{the next one needs nothing new; name another loop}}
          %a = memref.load %A[%w] : memref<8xf32>
          memref.store %a, %B[%v, %w] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{all iterations of loop 0 of block 'B' read the same of argument 0}}
    transform.nest.prefetch %b read 0 in %i distance [1]
    transform.yield
  }
}
