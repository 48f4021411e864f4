// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
      }
      // expected-note @+1 {{a row computed again would be another one}}
      nest.block "Q" (%v : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%v] : memref<10xf32>
      }
      nest.block "C" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %two = arith.constant 2 : index
        %v1 = arith.addi %v, %one : index
        %v2 = arith.addi %v, %two : index
        %a = memref.load %P[%v] : memref<10xf32>
        %b = memref.load %P[%v1] : memref<10xf32>
        %c = memref.load %P[%v2] : memref<10xf32>
        %d = arith.addf %a, %b : f32
        %e = arith.addf %d, %c : f32
        memref.store %e, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{block 'P' reads argument 0, which changes in loop 0}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    // expected-note @+1 {{a window of rows is one spatial iterator}}
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 32, %u : spatial = %i to 8) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = %i + 2 to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{2 iterators of block 'P' move with loop 0}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 16) {
          %k = arith.constant 2 : index
          %x = arith.addi %v, %k : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
          // expected-note @+1 {{the index of one dim has to be the iterator that moves}}
          memref.store %a, %P[%x] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = %i to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{at something else than one row}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    // expected-note @+1 {{rows go up with the iterations}}
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = 7 - %i + %r to 32) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = 7 - %i to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{the window of block 'P' does not move on by a constant in loop 0}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
      // expected-note @+1 {{rows of one window could be missing in the last}}
      nest.for %q = 0 to %r + 1 {
        nest.block "P" (%v : spatial = %i + %r to 32) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      }
      nest.block "C" (%v : spatial = %i + 2 to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{are not the same for every window}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{a row would not be the same each time}}
        nest.block "P" (%v : spatial = %i + %r to 32, %u : spatial = %r to 3) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = %i + 2 to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{iterator 1 of block 'P' depends on a loop of rows}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{a row could be there in one window and not in another}}
        nest.block "P" (%v : spatial = %i + %r to 32) where (%r - 0 >= 0, %i * 2 - 0 >= 0, 40 - %i * 2 - %r >= 0) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = %i + 2 to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{the predicate of block 'P' says more than its iterators' domains}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{a row could be missing in one window and not in another}}
        nest.block "P" (%v : spatial = %i + %r * 2 to 32) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = %i + 2 to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{the rows of block 'P' in one iteration of loop 0 of block 'P' leave gaps}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<32xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<32xf32>
    // expected-note @+1 {{there is nothing to keep}}
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i * 3 + %r to 32) {
          %k = arith.constant 2 : index
          %a = memref.load %A[%v] : memref<32xf32>
          memref.store %a, %P[%v] : memref<32xf32>
        }
      }
      nest.block "C" (%v : spatial = %i * 3 + 2 to 32, %w : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<32xf32>
        memref.store %a, %C[%w] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{windows of 3 rows that move on by 3 share none}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%I: memref<8xindex>, %A: memref<10x3xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<3xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v, %v] : memref<10x3xf32>
          memref.store %a, %P[%v] : memref<3xf32>
        }
      }
      nest.block "C" (%v : spatial = %i to 8) {
        %x = memref.load %I[%v] : memref<8xindex>
        // expected-note @+1 {{this read}}
        %a = memref.load %P[%x] : memref<3xf32>
        memref.store %a, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{at an index that is not affine}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}
