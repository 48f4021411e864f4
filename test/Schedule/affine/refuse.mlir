// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+2 {{this access comes first}}
      // expected-note @+1 {{and this one must follow}}
      nest.block "B" (%u : ordered = %i to 8) {
        %one = arith.constant 1 : index
        %u1 = arith.addi %u, %one : index
        %a = memref.load %A[%u] : memref<9xf32>
        memref.store %a, %A[%u1] : memref<9xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{iterations of loop 0 of block 'B' depend on earlier ones through argument 0}}
    transform.nest.reverse %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 8 {
        // expected-note @+2 {{this access comes first}}
        // expected-note @+1 {{and starts the reduction; decompose it first}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x8xf32>
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
    transform.nest.reverse %i
    // expected-error @+1 {{iterations of loop 1 of block 'S' depend on earlier ones through argument 1}}
    transform.nest.reverse %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9x10xf32>) {
    // expected-note @+1 {{skew the inner loop further, or take other loops}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        nest.block "B" (%u : ordered = %i to 8, %v : ordered = %j to 8) {
          %one = arith.constant 1 : index
          %two = arith.constant 2 : index
          %u1 = arith.addi %u, %one : index
          %v2 = arith.addi %v, %two : index
          %v1 = arith.addi %v, %one : index
          %a = memref.load %A[%u, %v2] : memref<9x10xf32>
          memref.store %a, %A[%u1, %v1] : memref<9x10xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the diagonals of loop 0 of block 'B' and loop 1 of block 'B' cannot run in parallel}}
    transform.nest.wavefront %i, %j grain 1
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this access comes first}}
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      // expected-note @+1 {{this one would not follow it any more; try another distance}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    %i = transform.nest.get_loops %q : 1
    // expected-error @+1 {{block 'Q' needs the buffer of type memref<8xf32> after block 'P'}}
    transform.nest.shift %q by -1 in %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{or does not name it; split the loop that it names}}
      nest.for %j = 0 to 8 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the condition is not linear in loop 1 of block 'B'}}
    %first, %second = transform.nest.split_domain %j where affine_map<(i, j) -> (i - 4)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>) {
    // expected-note @+1 {{a loop is skewed along one outside of it}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 1 of block 'B' is not around loop 0 of block 'B'}}
    transform.nest.skew %i along %j by 1
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>) {
    // expected-note @+1 {{there is nothing to cut}}
    nest.for %i = 0 to 8 {
      nest.block "B" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the condition is the same for all iterations of loop 0 of block 'B'}}
    %first, %second = transform.nest.split_domain %i where affine_map<(i) -> (i + 7)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{shift before compacting buffers}}
      %T = nest.alloc : memref<1xf32>
      nest.block "P" (%u : spatial = %i to 8) {
        %zero = arith.constant 0 : index
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%zero] : memref<1xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %zero = arith.constant 0 : index
        %a = memref.load %T[%zero] : memref<1xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    %i = transform.nest.get_loops %q : 1
    // expected-error @+1 {{the buffer of type memref<1xf32> lives in loop 0 of block 'P'}}
    transform.nest.shift %q by 1 in %i
    transform.yield
  }
}
