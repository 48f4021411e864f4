// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{this block}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the map takes 1 iterators and 0 symbols, block 'B' has 2}}
    transform.nest.transform_block_layout %b to affine_map<(i) -> (i)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{transform the block before blockize}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'B_o' holds a nest}}
    transform.nest.transform_block_layout %o to affine_map<(i) -> (i)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{transform the block before splitting}}
        nest.block "B" (%vi : spatial = %i * 4 + %j to 16) {
          %a = memref.load %A[%vi] : memref<16xf32>
          memref.store %a, %B[%vi] : memref<16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{iterator 0 of block 'B' is not a loop of its own}}
    transform.nest.transform_block_layout %b to affine_map<(i) -> (i)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{it speaks of loops that would be gone}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) where (%i - %j >= 0) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' has a predicate}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 16 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        nest.for %u = 0 to 1 {
          // expected-note @+1 {{have to be its innermost}}
          nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
            %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
            memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{loop 2 of block 'B' is between the loops of block 'B'}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 16 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>, %D: memref<16x16xf32>) {
    // expected-note @+1 {{give the block loops of its own first}}
    nest.for %i = 0 to 16 {
      nest.block "B" (%vi : spatial = %i to 16) {
        %a = memref.load %A[%vi] : memref<16xf32>
        memref.store %a, %B[%vi] : memref<16xf32>
      }
      nest.for %j = 0 to 16 {
        nest.block "D" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi] : memref<16xf32>
          memref.store %a, %D[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'B' holds more than block 'B'}}
    transform.nest.transform_block_layout %b to affine_map<(i) -> (i floordiv 4, i mod 4)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    // expected-note @+1 {{transform the block before giving loops a kind}}
    nest.for %i = 0 to 16 parallel {
      nest.for %j = 0 to 16 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'B' is parallel}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 16 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    // expected-note @+1 {{transform the block before giving loops a kind}}
    nest.for %i = 0 to 16 annotate {note = 1 : i64} {
      nest.for %j = 0 to 16 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'B' is annotated}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 16 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      // expected-note @+1 {{its domain has to be filled}}
      nest.for %j = 0 to 15 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{loop 1 of block 'B' does not run through iterator 1 of block 'B'}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 16 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{of this block; they have to stay apart}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : reduce = %j to 16) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%vi] : memref<16xf32>
        } {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          %c = memref.load %B[%vi] : memref<16xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %B[%vi] : memref<16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{result 0 of the map mixes spatial and reduce iterators}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 16 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{for this block's domain}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the map is not one to one onto a box: different iterations give the same sum}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i * 8 + j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{iterators do}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{result 0 of the map does not start at 0}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i + 1, j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{decompose it first}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : reduce = %j to 16) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%vi] : memref<16xf32>
        } {
          %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
          %c = memref.load %B[%vi] : memref<16xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %B[%vi] : memref<16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{result 1 of the map starts the reduction elsewhere}}
    transform.nest.transform_block_layout %b to affine_map<(i, j) -> (i, 15 - j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<17xf32>) {
    nest.for %i = 0 to 16 {
      // expected-note @+1 {{keep the order of its iterators in the map}}
      nest.block "B" (%vi : ordered = %i to 16) {
        %one = arith.constant 1 : index
        %next = arith.addi %vi, %one : index
        %a = memref.load %A[%vi] : memref<17xf32>
        memref.store %a, %A[%next] : memref<17xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{steps of block 'B' depend on each other and would change places}}
    transform.nest.transform_block_layout %b to affine_map<(i) -> (i mod 4, i floordiv 4)>
    transform.yield
  }
}

// -----

// The iterator that the init needs has one value, but it has to stay.
module attributes {transform.with_named_sequence} {
  nest.func @unit(%A: memref<4x1xf32>, %C: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 1 {
        // expected-note @below {{keep it, or decompose the reduction first}}
        nest.block "C" (%v : spatial = %i to 4, %w : reduce = %k to 1) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<4xf32>
        } {
          %a = memref.load %A[%v, %w] : memref<4x1xf32>
          %c = memref.load %C[%v] : memref<4xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%v] : memref<4xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @below {{the map leaves block 'C' no reduce iterator for its init}}
    transform.nest.transform_block_layout %c to affine_map<(i, k) -> (i)>
    transform.yield
  }
}
