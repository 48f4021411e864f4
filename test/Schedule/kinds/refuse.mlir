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
  nest.func @f(%A: memref<8x5xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{one writes what another reads here}}
        nest.block "B" (%u : ordered = %i to 8, %v : ordered = %j to 4) {
          %one = arith.constant 1 : index
          %next = arith.addi %v, %one : index
          %a = memref.load %A[%u, %v] : memref<8x5xf32>
          memref.store %a, %A[%u, %next] : memref<8x5xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // Rows do not meet.
    transform.nest.parallel %i grain [1]
    // expected-error @+1 {{iterations of loop 1 of block 'B' touch the same elements of argument 0}}
    transform.nest.vectorize %j
    transform.yield
  }
}

// -----

// One loop picks the row and the step of a scan.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4x5xf32>) {
    nest.for %i = 0 to 16 {
      // expected-note @+1 {{one writes what another reads here}}
      nest.block "B" (%u : spatial = %i floordiv 4 to 4, %v : ordered = %i mod 4 to 4) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%u, %v] : memref<4x5xf32>
        memref.store %a, %A[%u, %next] : memref<4x5xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{iterations of loop 0 of block 'B' touch the same elements of argument 0}}
    transform.nest.parallel %i grain [1]
    transform.yield
  }
}

// -----

// A private reduction comes first; the shared buffer after it still counts.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %S: memref<4xf32>, %T: memref<1xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 8 {
        nest.block "S" (%v : spatial = %i to 4, %vk : reduce = %k to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %a = memref.load %A[%vk, %v] : memref<8x4xf32>
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
        // expected-note @+1 {{more than one writes them here}}
        nest.block "T" (%v : ordered = %k to 8) {
          %c0 = arith.constant 0 : index
          %a = memref.load %A[%v, %c0] : memref<8x4xf32>
          memref.store %a, %T[%c0] : memref<1xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{iterations of loop 1 of block 'S' touch the same elements of argument 2}}
    transform.nest.vectorize %k
    transform.yield
  }
}

// -----

// Overlapping bindings: two iterations are one point.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<11xf32>, %B: memref<11xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{more than one writes them here}}
        nest.block "B" (%v : spatial = %i + %j to 11) {
          %a = memref.load %A[%v] : memref<11xf32>
          memref.store %a, %B[%v] : memref<11xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{iterations of loop 0 of block 'B' touch the same elements of argument 1}}
    transform.nest.parallel %i grain [1]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<1000000xf32>, %B: memref<1000000xf32>) {
    // expected-note @+1 {{split it and unroll the inner loop}}
    nest.for %i = 0 to 1000000 {
      nest.block "B" (%v : spatial = %i to 1000000) {
        %a = memref.load %A[%v] : memref<1000000xf32>
        memref.store %a, %B[%v] : memref<1000000xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{loop 0 of block 'B' has 1000000 iterations, too many to write out}}
    transform.nest.unroll %i
    transform.yield
  }
}

// -----

// The update reads its neighbour too, which another iteration wrote.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %B: memref<8xf32>) {
    %S = nest.alloc : memref<9xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 5 {
        // expected-note @+1 {{one writes what another reads here}}
        nest.block "S" (%v : ordered = %i to 8, %vk : reduce = %k to 5) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<9xf32>
        } {
          %one = arith.constant 1 : index
          %next = arith.addi %v, %one : index
          %a = memref.load %S[%next] : memref<9xf32>
          %s = memref.load %S[%v] : memref<9xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<9xf32>
          memref.store %r, %B[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{iterations of loop 0 of block 'S' touch the same elements of the buffer of type memref<9xf32>}}
    transform.nest.parallel %i grain [1]
    transform.yield
  }
}

// -----

// The sum starts at the fourth lane.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{its init could not run before all of them; decompose the reduction, or leave the loop where it starts}}
      nest.for %k = 0 to 7 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k - 3 to 4) where (%k - 3 >= 0) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x4xf32>
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
    // expected-error @+1 {{the first step of the reduction of block 'S' may be in the middle of the lanes of loop 1 of block 'S'}}
    transform.nest.vectorize %k
    transform.yield
  }
}
