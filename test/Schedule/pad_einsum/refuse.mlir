// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          // expected-note @+1 {{name one for each iterator, 1 where it stays}}
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{4 multiples for the 3 iterators of block 'mm'}}
    transform.nest.pad_einsum %mm to [8, 16, 4, 2]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          // expected-note @+1 {{of an iterator of this block}}
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{multiples are positive, not 0}}
    transform.nest.pad_einsum %mm to [8, 0, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          // expected-note @+1 {{nothing says what its steps beyond the end may add}}
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.subf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{block 'mm' is no reduction with init and a known operation}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          // expected-note @+1 {{nothing to pad}}
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{the iterators of block 'mm' are such multiples already}}
    transform.nest.pad_einsum %mm to [7, 15, 5]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          // expected-note @+1 {{pad before splitting or fusing loops}}
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %io, %ii = transform.nest.split %i by [-1, 7] : 2
    // expected-error @+1 {{iterator 0 of block 'mm' is no loop of its own}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          // expected-note @+1 {{pad before splitting loops}}
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) where (%i + %j - 1 >= 0) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{block 'mm' has a predicate}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    // expected-note @+1 {{pad before moving blocks together}}
    nest.for %i = 0 to 7 {
      nest.block "other" (%v : spatial = %i to 7) {
      }
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'other' holds other blocks than block 'mm'}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      // expected-note @+1 {{pad before buffers move}}
      %T = nest.alloc : memref<10x30xf32>
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %T[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{the buffer of type memref<10x30xf32> lives inside loop 0 of block 'mm'}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      // expected-note @+1 {{pad first}}
      nest.for %j = 0 to 30 unroll {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{loop 1 of block 'mm' repeats block 'mm' or has a kind}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.divf %a, %b : f32
            // expected-note @+1 {{move other arithmetic into blocks before it}}
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{what block 'mm' adds is no product of what it reads}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            // expected-note @+1 {{only sums of products and reductions of a single value can be padded}}
            %r = arith.maximumf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{the update of block 'mm' has no step that changes nothing}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %n = arith.constant 6 : index
            %w = arith.subi %n, %vi : index
            // expected-note @+1 {{only dims that are iterators can be padded}}
            %a = memref.load %A[%w, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{an index of block 'mm' is not a single iterator}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>, %s: memref<7xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            // expected-note @+1 {{a value that is not 0 there may be no number times 0}}
            %q = memref.load %s[%vi] : memref<7xf32>
            %o = arith.mulf %p, %q : f32
            %r = arith.addf %c, %o : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{iterator 2 of block 'mm' indexes no dim of argument 3}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            // expected-note @+1 {{this access}}
            %a = memref.load %C[%vi, %vk] : memref<7x30xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    // expected-error @+1 {{block 'mm' reads its accumulator in another place}}
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

// Another step of %u would add everything a second time.
module attributes {transform.with_named_sequence} {
  nest.func @unit(%A: memref<5xf32>, %C: memref<1xf32>) {
    nest.for %u = 0 to 1 {
      nest.for %k = 0 to 5 {
        nest.block "C" (%vu : spatial = %u to 1, %vk : reduce = %k to 5) init {
          %z = arith.constant 0.0 : f32
          %c0 = arith.constant 0 : index
          memref.store %z, %C[%c0] : memref<1xf32>
        } {
          %c0 = arith.constant 0 : index
          %a = memref.load %A[%vk] : memref<5xf32>
          %c = memref.load %C[%c0] : memref<1xf32>
          %s = arith.addf %c, %a : f32
          // expected-note @below {{more of its steps would be summed up again}}
          memref.store %s, %C[%c0] : memref<1xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @below {{iterator 0 of block 'C' indexes no dim of argument 1}}
    transform.nest.pad_einsum %c to [2, 2]
    transform.yield
  }
}
