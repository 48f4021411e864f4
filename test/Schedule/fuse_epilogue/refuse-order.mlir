// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        // expected-note @+1 {{it would see the new values}}
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %q = memref.load %D[%v] : memref<8xf32>
          %p = arith.mulf %a, %q : f32
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %p : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{block 'sum' uses argument 2, which block 'relu' writes}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %h = 0 to 8 {
      // expected-note @+1 {{it would see another order}}
      nest.block "between" (%v : spatial = %h to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %D[%v] : memref<8xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{block 'between' uses argument 2 in between}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %h = 0 to 8 {
      // expected-note @+1 {{it would be read too early}}
      nest.block "between" (%v : spatial = %h to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %B[%v] : memref<8xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{block 'between' writes argument 1 in between}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

// The steps run backwards.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        // expected-note @+1 {{its loops run through the steps in another order, or more than once; fuse before reordering them}}
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = -%k + 5 to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{the last step of block 'sum' is not the last to run}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    // expected-note @+1 {{fuse before moving blocks together}}
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
      nest.block "relu" (%v : spatial = -%i + 7 to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{block 'relu' reads elements in other iterations of loop 0 of block 'sum' than block 'sum' finishes them in}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        nest.block "sum" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    // expected-note @+1 {{fuse before moving buffers}}
    %E = nest.alloc : memref<8xf32>
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %E[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{the buffer of type memref<8xf32> is not there where block 'sum' runs}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}
