// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

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
