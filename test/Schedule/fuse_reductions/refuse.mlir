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

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it would see values of later steps}}
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %S[%v] : memref<4xf32>
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
    // expected-error @+1 {{block 'max' uses argument 2, which block 'sum' writes}}
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
      // expected-note @+1 {{inline it into the next reduction, or move it out from between them}}
      nest.block "between" (%v : spatial = %i to 4) {
        %z = memref.load %M[%v] : memref<4xf32>
        memref.store %z, %S[%v] : memref<4xf32>
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
    // expected-error @+1 {{block 'between' stands between and uses argument 1 of block 'max'}}
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
        // expected-note @+1 {{only sums can be corrected}}
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.subf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{the update of block 'sum' is no known operation}}
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
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          // expected-note @+1 {{which is not finished in the first iteration}}
          %z = memref.load %M[%v] : memref<4xf32>
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
    // expected-error @+1 {{the init of block 'sum' reads argument 1}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it changes with every step of this block}}
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
          // expected-note @+1 {{only sums can be corrected}}
          %r = arith.mulf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    // expected-error @+1 {{no correction is known for what block 'sum' makes of argument 1}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it changes with every step of this block}}
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
          %yes = arith.constant true
          %n = scf.if %yes -> f32 {
            // expected-note @+1 {{this load may not happen}}
            %mm = memref.load %M[%v] : memref<4xf32>
            scf.yield %mm : f32
          } else {
            scf.yield %x : f32
          }
          %d = arith.subf %x, %n : f32
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
    // expected-error @+1 {{no correction is known for what block 'sum' makes of argument 1}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it changes with every step of this block}}
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
          %c4 = arith.constant 4 : index
          %w = arith.remui %vk, %c4 : index
          // expected-note @+1 {{this index is not made of spatial iterators alone}}
          %m = memref.load %M[%w] : memref<4xf32>
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
    // expected-error @+1 {{no correction is known for what block 'sum' makes of argument 1}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it changes with every step of this block}}
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
          // expected-note @+1 {{it is used more than once}}
          %d = arith.subf %x, %m : f32
          %e = arith.mulf %d, %d : f32
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
    // expected-error @+1 {{no correction is known for what block 'sum' makes of argument 1}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it changes with every step of this block}}
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
          %y = arith.addf %x, %x : f32
          %d = arith.subf %y, %m : f32
          // expected-note @+1 {{exponentials need exp(e - m) with m the maximum of that e in the same iterations, or they overflow before it is known}}
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
    // expected-error @+1 {{no correction is known for what block 'sum' makes of argument 1}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{it changes with every step of this block}}
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
          // expected-note @+1 {{a sum of e - m, of exp(e - m) * v or of (e - m / n)^2 could be corrected}}
          %e = math.tanh %d : f32
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
    // expected-error @+1 {{no correction is known for what block 'sum' makes of argument 1}}
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
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %c3 = arith.constant 3 : index
          %w = arith.subi %c3, %v : index
          // expected-note @+1 {{a correction needs their values in each iteration}}
          %m = memref.load %M[%w] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = arith.negf %d : f32
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
    // expected-error @+1 {{block 'sum' may read other elements of argument 1 than block 'max' makes in loop 1 of block 'max'}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

// A triangle.
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
        // expected-note @+1 {{its correction is a multiple of their number; fuse before cutting or skewing loops}}
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) where (%i - %l + 5 >= 0) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = arith.negf %d : f32
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
    // expected-error @+1 {{the steps of block 'sum' cannot be counted}}
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
        // expected-note @+1 {{what it starts with would be rescaled}}
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l to 10) init {
          %z = arith.constant 1.0 : f32
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
    // expected-error @+1 {{block 'sum' does not start at 0}}
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
          %z = arith.constant 0.0 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.addf %m, %x : f32
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
          %n = arith.constant 11.0 : f32
          // expected-note @+1 {{of constant extent}}
          %a = arith.divf %m, %n : f32
          %d = arith.subf %x, %a : f32
          %e = arith.mulf %d, %d : f32
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
    // expected-error @+1 {{the mean in block 'sum' is not the sum over the number of steps}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 5 {
        nest.for %kk = 0 to 2 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k * 2 + %kk to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.addf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
        }
      }
      nest.for %l = 0 to 5 {
        nest.for %ll = 0 to 2 {
        // expected-note @+1 {{a variance joins its mean in one block only; fuse before splitting the reduction}}
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %l * 2 + %ll to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %n = arith.constant 10.0 : f32
          %a = arith.divf %m, %n : f32
          %d = arith.subf %x, %a : f32
          %e = arith.mulf %d, %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k, %kk = transform.nest.get_loops %sum : 3
    // expected-error @+1 {{block 'sum' and block 'max' do not have the same loops}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %V: memref<10x6xf32>, %M: memref<4xf32>, %O: memref<4x6xf32>) {
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
        // expected-note @+1 {{split it first}}
        nest.for %j = 0 to 6 {
          nest.block "sum" (%v : spatial = %i to 4, %vj : spatial = %j to 6, %vk : reduce = %l to 10, %u : reduce = %j mod 2 to 2) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%v, %vj] : memref<4x6xf32>
          } {
            %x = memref.load %X[%v, %vk] : memref<4x10xf32>
            %m = memref.load %M[%v] : memref<4xf32>
            %d = arith.subf %x, %m : f32
            %e = math.exp %d : f32
            %w = memref.load %V[%vk, %vj] : memref<10x6xf32>
            %p = arith.mulf %e, %w : f32
            %s = memref.load %O[%v, %vj] : memref<4x6xf32>
            %r = arith.addf %s, %p : f32
            memref.store %r, %O[%v, %vj] : memref<4x6xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k, %j = transform.nest.get_loops %sum : 3
    // expected-error @+1 {{loop 2 of block 'sum' feeds spatial and reduce iterators}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %V: memref<10x6xf32>, %M: memref<4xf32>, %O: memref<4x6xf32>) {
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
        nest.for %n = 0 to 2 {
        // expected-note @+1 {{the correction has no such loop}}
        nest.for %j = %n to 6 {
          nest.block "sum" (%v : spatial = %i to 4, %vj : spatial = %j to 6, %vk : reduce = %l to 10, %vn : reduce = %n to 2) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%v, %vj] : memref<4x6xf32>
          } {
            %x = memref.load %X[%v, %vk] : memref<4x10xf32>
            %m = memref.load %M[%v] : memref<4xf32>
            %d = arith.subf %x, %m : f32
            %e = math.exp %d : f32
            %w = memref.load %V[%vk, %vj] : memref<10x6xf32>
            %p = arith.mulf %e, %w : f32
            %s = memref.load %O[%v, %vj] : memref<4x6xf32>
            %r = arith.addf %s, %p : f32
            memref.store %r, %O[%v, %vj] : memref<4x6xf32>
          }
        }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k, %n, %j = transform.nest.get_loops %sum : 4
    // expected-error @+1 {{the bounds of loop 3 of block 'sum' depend on a reduction loop}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %V: memref<10x6xf32>, %M: memref<4xf32>, %O: memref<4x6xf32>) {
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
        nest.for %j = 0 to 5 {
        nest.for %t = 0 to 2 {
          // expected-note @+1 {{it would be corrected twice}}
          nest.block "sum" (%v : spatial = %i to 4, %vj : spatial = %j + %t to 6, %vk : reduce = %l to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%v, %vj] : memref<4x6xf32>
          } {
            %x = memref.load %X[%v, %vk] : memref<4x10xf32>
            %m = memref.load %M[%v] : memref<4xf32>
            %d = arith.subf %x, %m : f32
            %e = math.exp %d : f32
            %w = memref.load %V[%vk, %vj] : memref<10x6xf32>
            %p = arith.mulf %e, %w : f32
            %s = memref.load %O[%v, %vj] : memref<4x6xf32>
            %r = arith.addf %s, %p : f32
            memref.store %r, %O[%v, %vj] : memref<4x6xf32>
          }
        }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k, %n, %j = transform.nest.get_loops %sum : 4
    // expected-error @+1 {{the loops of block 'sum' come back to an element}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<4x10xf32>, %V: memref<10x6xf32>, %M: memref<4xf32>, %O: memref<4x6xf32>) {
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
        nest.for %j = 0 to 6 {
          // expected-note @+1 {{it cannot be said what to correct}}
          nest.block "sum" (%v : spatial = %i to 4, %vj : spatial = %j to 6, %vk : reduce = %l to 10) where (%j - %l + 5 >= 0) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%v, %vj] : memref<4x6xf32>
          } {
            %x = memref.load %X[%v, %vk] : memref<4x10xf32>
            %m = memref.load %M[%v] : memref<4xf32>
            %d = arith.subf %x, %m : f32
            %e = math.exp %d : f32
            %w = memref.load %V[%vk, %vj] : memref<10x6xf32>
            %p = arith.mulf %e, %w : f32
            %s = memref.load %O[%v, %vj] : memref<4x6xf32>
            %r = arith.addf %s, %p : f32
            memref.store %r, %O[%v, %vj] : memref<4x6xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k, %j = transform.nest.get_loops %sum : 3
    // expected-error @+1 {{the predicate of block 'sum' mixes spatial and reduce loops}}
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
}
