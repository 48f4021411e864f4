// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>, %D: memref<16xf32>) {
    // expected-note @+1 {{one block is what blockize takes}}
    nest.for %i = 0 to 16 {
      nest.block "B" (%vi : spatial = %i to 16) {
        %a = memref.load %A[%vi] : memref<16xf32>
        memref.store %a, %B[%vi] : memref<16xf32>
      }
      nest.block "D" (%vi : spatial = %i to 16) {
        %a = memref.load %A[%vi] : memref<16xf32>
        memref.store %a, %D[%vi] : memref<16xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{loop 0 of block 'B' does not hold one loop or block alone}}
    %o = transform.nest.blockize %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to %i + 1 {
        // expected-note @+1 {{what loops outside say}}
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
    // expected-error @+1 {{the iterators of block 'B' do not come apart at loop 1 of block 'B': the bounds of an inner loop vary}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.block "O" (%vo : spatial = %i to 16) {
        // expected-note @+1 {{inside a block the same iterations run every time}}
        nest.for %j = 0 to %vo + 1 {
          nest.block "B" (%vi : spatial = %vo to 16, %vj : spatial = %j to 16) {
            %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
            memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %j = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the bounds of loop 0 of block 'B' vary}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    // expected-note @+1 {{a nest cannot run in lanes}}
    nest.for %i = 0 to 16 vectorize {
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
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 0 of block 'B' is vectorize}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 5 {
        // expected-note @+1 {{has to count what the loops inside run through}}
        nest.block "B" (%vi : spatial = %i * 3 + %j to 16) {
          %a = memref.load %A[%vi] : memref<16xf32>
          memref.store %a, %B[%vi] : memref<16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{do not come apart at loop 1 of block 'B': iterator 0 does not step by what the inner loops run through}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 5 {
        // expected-note @+1 {{has to count what the loops inside run through}}
        nest.block "B" (%vi : spatial = %i * 5 + %j to 16) where (15 - %i * 5 - %j >= 0) {
          %a = memref.load %A[%vi] : memref<16xf32>
          memref.store %a, %B[%vi] : memref<16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{a constraint of the predicate mixes inner and outer loops}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.block "O" (%vo : spatial = %i to 16) {
        nest.for %j = 0 to 16 {
          // expected-note @+1 {{it has to come apart, too}}
          nest.block "B" (%vi : spatial = %vo to 16, %vj : spatial = %j to 16) where (15 - %j - %vo >= 0) {
            %a = memref.load %A[%vi, %vj] : memref<16x16xf32>
            memref.store %a, %B[%vi, %vj] : memref<16x16xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %j = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the predicate of block 'B' mixes inner loops and iterators of the block around}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      // expected-note @+1 {{there is nothing to make a block of}}
      nest.for %j = 16 to 16 {
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
    // expected-error @+1 {{loop 1 of block 'B' has no iteration}}
    %o = transform.nest.blockize %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
    nest.for %i = 18 to 19 {
      // expected-note @+1 {{the new block would run there}}
      nest.block "B" (%vi : spatial = %i to 16) where (15 - %i >= 0) {
        %a = memref.load %A[%vi] : memref<16xf32>
        memref.store %a, %B[%vi] : memref<16xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{iterator 0 of block 'B' may leave its domain where the predicate holds for no inner iteration}}
    %o = transform.nest.blockize %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %C: memref<4xf32>) {
    nest.for %k = 0 to 4 {
      // expected-note @+1 {{the init needs loops of its own; split it first}}
      nest.for %f = 0 to 16 {
        nest.block "C" (%vi : spatial = %f floordiv 4 to 4, %vk : reduce = %k * 4 + %f mod 4 to 16) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<4xf32>
        } {
          %a = memref.load %A[%vk] : memref<16xf32>
          %c = memref.load %C[%vi] : memref<4xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %k, %f = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 1 of block 'C' feeds spatial and reduce iterators}}
    %o = transform.nest.blockize %f
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %C: memref<4xf32>) {
    nest.for %k = 0 to 4 {
      nest.for %i = 0 to 4 {
        // expected-note @+1 {{it cannot be said where the init runs}}
        nest.for %l = 0 to 4 {
          nest.block "C" (%vi : spatial = %i to 4, %vk : reduce = %k * 4 + %l to 16) where (2 - %l >= 0) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi] : memref<4xf32>
          } {
            %a = memref.load %A[%vk] : memref<16xf32>
            %c = memref.load %C[%vi] : memref<4xf32>
            %s = arith.addf %c, %a : f32
            memref.store %s, %C[%vi] : memref<4xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %k, %i, %l = transform.nest.get_loops %b : 3
    // expected-error @+1 {{the predicate of block 'C' names loop 2 of block 'C'}}
    %o = transform.nest.blockize %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %C: memref<4xf32>) {
    nest.for %k = 0 to 4 {
      nest.for %i = 0 to 4 {
        // expected-note @+1 {{decompose the reduction first}}
        nest.block "C" (%wi : spatial = %i to 4, %wk : reduce = %k to 4) init {
          nest.for %z = 0 to 1 {
            nest.block "Z" (%vi : spatial = %wi to 4, %vz : spatial = %wk to 4) {
              %c0 = arith.constant 0.0 : f32
              memref.store %c0, %C[%vi] : memref<4xf32>
            }
          }
        } {
          nest.for %l = 0 to 4 {
            nest.block "U" (%vi : spatial = %wi to 4, %vk : reduce = %wk * 4 + %l to 16) {
              %a = memref.load %A[%vk] : memref<16xf32>
              %c = memref.load %C[%vi] : memref<4xf32>
              %s = arith.addf %c, %a : f32
              memref.store %s, %C[%vi] : memref<4xf32>
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the init of block 'C' names a reduce iterator}}
    %o = transform.nest.blockize %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %C: memref<4xf32>) {
    nest.for %k = 0 to 4 {
      nest.for %i = 0 to 3 {
        // expected-note @+1 {{all inits would come first}}
        nest.block "C" (%vi : spatial = %i to 3, %vk : reduce = %k to 4) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<4xf32>
        } {
          %one = arith.constant 1 : index
          %next = arith.addi %vi, %one : index
          %a = memref.load %C[%next] : memref<4xf32>
          %c = memref.load %C[%vi] : memref<4xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %b : 2
    // expected-error @+1 {{block 'C' uses argument 1 before another init inside loop 1 of block 'C'}}
    %o = transform.nest.blockize %i
    transform.yield
  }
}

// -----

// Primitives that do not look into nests ask for none.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{do this before blockize}}
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
    // expected-error @+1 {{block 'B_o' holds a nest, which 'transform.nest.reindex' does not look into}}
    %r = transform.nest.reindex %o "read" 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x16xf32>, %B: memref<16x16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 16 {
        // expected-note @+1 {{do this before blockize}}
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
    // expected-error @+1 {{'transform.nest.compute_at' does not work inside of block 'B_o'}}
    transform.nest.compute_at %b at %j
    transform.yield
  }
}

// -----

// The init of a nest is taken out as it is.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16xf32>, %C: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{the nest in it would lose it}}
        nest.block "C" (%wi : spatial = %i to 4, %wk : reduce = %k to 4) init {
          nest.for %z = 0 to 1 {
            nest.block "Z" (%vi : spatial = %wi to 4, %vz : spatial = %wk to 4) {
              %c0 = arith.constant 0.0 : f32
              memref.store %c0, %C[%vi] : memref<4xf32>
            }
          }
        } {
          nest.for %l = 0 to 4 {
            nest.block "U" (%vi : spatial = %wi to 4, %vk : reduce = %wk * 4 + %l to 16) {
              %a = memref.load %A[%vk] : memref<16xf32>
              %c = memref.load %C[%vi] : memref<4xf32>
              %s = arith.addf %c, %a : f32
              memref.store %s, %C[%vi] : memref<4xf32>
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the init of block 'C' names a reduce iterator}}
    %o = transform.nest.decompose_reduction %b at %k
    transform.yield
  }
}
