// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      // expected-note @+1 {{at this loop}}
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{fuse_reductions takes two reductions or more}}
    %f = transform.nest.fuse_reductions %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{bring the reductions under the same loops with merge, compute_at or reorder}}
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
    }
    nest.for %i = 0 to 4 {
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{block 'max' has no loop beside loop 1 of block 'sum'}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      // expected-note @+1 {{fuse before moving blocks together}}
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
        nest.block "other" (%v : spatial = %i to 4) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        }
      }
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{loop 1 of block 'max' holds 2 blocks}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      nest.for %l = 0 to 10 {
        // expected-note @+1 {{this block}}
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{block 'sum' is named twice}}
    %f = transform.nest.fuse_reductions %sum, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
      // expected-note @+1 {{name the reduction loop of one of them}}
      nest.for %j = 0 to 10 {
        nest.block "third" (%v : spatial = %i to 4, %vj : spatial = %j to 10) {
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %third = transform.nest.get_block "third" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %third : 2
    // expected-error @+1 {{loop 1 of block 'third' holds none of the reductions}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{fuse before decompose_reduction}}
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{block 'max' is no reduction with init}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      // expected-note @+1 {{fuse before giving loops a kind}}
      nest.for %l = 0 to 10 unroll {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{loop 1 of block 'sum' is unroll}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      // expected-note @+1 {{reductions in one pass take the same steps}}
      nest.for %l = 0 to 9 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{loop 1 of block 'sum' has other bounds than the first one, or bounds that vary}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      // expected-note @+1 {{it must be the loop over the steps}}
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = 0 to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{loop 1 of block 'sum' does not feed the reduction of block 'sum' alone}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    // expected-note @+1 {{reorder so that all its reduction loops are inside}}
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      nest.for %l = 0 to 10 {
        nest.block "sum" (%v : spatial = 0 to 4, %vk : reduce = %l to 10, %vi : reduce = %i to 4) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{block 'sum' also reduces over loop 0 of block 'max', outside of loop 1 of block 'sum'}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

// Steps from 2 on: another loop has started the sum.
module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      nest.for %l = 0 to 10 {
        // expected-note @+1 {{a sum is corrected from the second iteration on; fuse before dividing the domain}}
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l + 2 to 12) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %c2 = arith.constant 2 : index
          %w = arith.subi %vk, %c2 : index
          %x = memref.load %X[%v, %w] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{the reduction of block 'sum' is not started in the first iteration of loop 1 of block 'sum'}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}
