// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

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
