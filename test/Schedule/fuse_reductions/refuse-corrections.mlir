// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

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
