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
    // expected-error @+1 {{block 'P' writes 1 buffers, there is no write 1}}
    transform.nest.rolling_buffer %b write 1
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<10xf32>, %P: memref<10xf32>, %C: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{all rows of an argument are the caller's}}
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{block 'P' writes argument 1}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>, %D: memref<10xf32>) {
    %P = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{rows of the others would be missing}}
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %D[%v] : memref<10xf32>
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{block 'P' writes 2 buffers}}
    transform.nest.rolling_buffer %b write 1
    transform.yield
  }
}

// -----

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
      // expected-note @+1 {{here; roll before decomposing reductions}}
      nest.block "Q" (%v : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %P[%v] : memref<10xf32>
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
    // expected-error @+1 {{of block 'P' has another writer}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @plane(%A: memref<?x6xf32>, %C: memref<?x4xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0 + 2, 6)>, affine_map<()[s0] -> (s0, 4)>]} {
    %P = nest.alloc [symbol(%n) + 2, 6] : memref<?x6xf32>
    nest.for %i = 0 to symbol(%n) + 2 {
      nest.for %j = 0 to 6 {
        // expected-note @+1 {{move it into the loop of its consumer with compute_at}}
        nest.block "P" (%vi : spatial = %i to symbol(%n) + 2, %vj : spatial = %j to 6) {
          %a = memref.load %A[%vi, %vj] : memref<?x6xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%vi, %vj] : memref<?x6xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 4) {
          %two = arith.constant 2 : index
          %i2 = arith.addi %vi, %two : index
          %j2 = arith.addi %vj, %two : index
          %a = memref.load %P[%vi, %vj] : memref<?x6xf32>
          %b = memref.load %P[%i2, %j2] : memref<?x6xf32>
          %d = arith.addf %a, %b : f32
          memref.store %d, %C[%vi, %vj] : memref<?x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{no loop holds block 'P' and all readers of}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<10xf32>
    // expected-note @+1 {{rows stay from one iteration to the next}}
    nest.for %i = 0 to 8 parallel {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{loop 0 of block 'P' is parallel}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{its rows do not outlive an iteration}}
      %P = nest.alloc : memref<10xf32>
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{lives in loop 0 of block 'P'}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{a window is what such loops run through}}
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %P[%v] : memref<8xf32>
      }
      nest.block "C" (%v : spatial = %i to 8) {
        %a = memref.load %P[%v] : memref<8xf32>
        memref.store %a, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{block 'P' has no loops of its own in loop 0 of block 'P'}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>, %n: index) {
    %P = nest.alloc : memref<10xf32>
    // expected-note @+1 {{its first iteration cannot be told}}
    nest.for %i = max(0, symbol(%n)) to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{loop 0 of block 'P' has several bounds}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 2 {
        // expected-note @+1 {{they would have to outlive the window}}
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{an iteration of loop 0 of block 'P' may read rows of}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{it cannot be told whether a row is the same each time}}
        nest.block "P" (%v : spatial = %i + %r to 10, %t : ordered = %r to 3) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
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
    // expected-error @+1 {{block 'P' is neither complete nor a reduction}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<44xf32>, %C: memref<32xf32>) {
    %P = nest.alloc : memref<44xf32>
    // expected-note @below {{only the number of a row tells them apart}}
    nest.for %o = 0 to 4 parallel {
      nest.for %i = 0 to 8 {
        nest.for %r = 0 to 3 {
          nest.block "P" (%v : spatial = %o * 10 + %i + %r to 44) {
            %a = memref.load %A[%v] : memref<44xf32>
            memref.store %a, %P[%v] : memref<44xf32>
          }
        }
        nest.block "C" (%v : spatial = %o * 10 + %i to 44, %w : spatial = %o * 8 + %i to 32) {
          %one = arith.constant 1 : index
          %two = arith.constant 2 : index
          %v1 = arith.addi %v, %one : index
          %v2 = arith.addi %v, %two : index
          %a = memref.load %P[%v] : memref<44xf32>
          %b = memref.load %P[%v1] : memref<44xf32>
          %c = memref.load %P[%v2] : memref<44xf32>
          %d = arith.addf %a, %b : f32
          %e = arith.addf %d, %c : f32
          memref.store %e, %C[%w] : memref<32xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @below {{loop 0 of block 'P' is parallel, its iterations would share rows of the buffer of type memref<44xf32>}}
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}
