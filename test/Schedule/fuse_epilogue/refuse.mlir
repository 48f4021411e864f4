// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 6 {
        // expected-note @+1 {{an epilogue does not reduce and does not read what it writes}}
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
    // expected-error @+1 {{block 'sum' is not complete}}
    transform.nest.fuse_epilogue %sum into %sum
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{use reverse_compute_inline for complete blocks}}
      nest.block "sum" (%v : spatial = %i to 8) {
        %b = memref.load %B[%v] : memref<8xf32>
        memref.store %b, %C[%v] : memref<8xf32>
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
    // expected-error @+1 {{block 'sum' is no reduction}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %B: memref<8xf32>, %D: memref<8xf32>) {
    %C = nest.alloc : memref<8xf32>
    nest.for %j = 0 to 8 {
      // expected-note @+1 {{this block}}
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %s = arith.addf %c, %b : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
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
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{block 'relu' comes before block 'sum'}}
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
    nest.for %j = 0 to 8 {
      // expected-note @+1 {{name the block that makes what it reads}}
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %B[%v] : memref<8xf32>
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
    // expected-error @+1 {{block 'relu' reads nothing that block 'sum' writes}}
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
          // expected-note @+1 {{this store}}
          memref.store %a, %C[%v] : memref<8xf32>
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
    // expected-error @+1 {{block 'sum' does not store its result once a step}}
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
          // expected-note @+1 {{here it is written}}
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c7 = arith.constant 7 : index
        %w = arith.subi %c7, %v : index
        // expected-note @+1 {{here it is read}}
        %c = memref.load %C[%w] : memref<8xf32>
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
    // expected-error @+1 {{the indices of the buffer of type memref<8xf32> are not plain iterators in both blocks}}
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
    nest.for %j = 0 to 8 {
      nest.block "relu" (%v : spatial = %j to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %b = memref.load %B[%v] : memref<8xf32>
        %zero = arith.constant 0 : index
        // expected-note @+1 {{here another one}}
        %o = memref.load %C[%zero] : memref<8xf32>
        %s = arith.addf %c, %o : f32
        %z = arith.constant 0.0 : f32
        %r = arith.maximumf %s, %z : f32
        memref.store %r, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %relu = transform.nest.get_block "relu" in %root : !transform.any_op
    // expected-error @+1 {{block 'relu' reads several elements that block 'sum' makes}}
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
    nest.for %j = 0 to 7 {
      // expected-note @+1 {{iterator 0 has no equal there}}
      nest.block "relu" (%v : spatial = %j to 7) {
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
    // expected-error @+1 {{block 'relu' and block 'sum' do not run over the same elements}}
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
    nest.for %j = 0 to 7 {
      // expected-note @+1 {{the other block would be run for them; fuse before cutting loops}}
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
    // expected-error @+1 {{the loops of block 'relu' may skip points of its domain}}
    transform.nest.fuse_epilogue %relu into %sum
    transform.yield
  }
}

// -----

// %U is another buffer in each iteration of %j.
module attributes {transform.with_named_sequence} {
  nest.func @lives(%A: memref<8x6xf32>, %D: memref<8xf32>) {
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
    nest.for %j = 0 to 8 {
      %U = nest.alloc : memref<1xf32>
      nest.block "negate" (%v : spatial = %j to 8) {
        %c0 = arith.constant 0 : index
        %c = memref.load %C[%v] : memref<8xf32>
        %r = arith.negf %c : f32
        memref.store %r, %U[%c0] : memref<1xf32>
      }
      nest.block "copy" (%v : spatial = %j to 8) {
        %c0 = arith.constant 0 : index
        %c = memref.load %U[%c0] : memref<1xf32>
        memref.store %c, %D[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %negate = transform.nest.get_block "negate" in %root : !transform.any_op
    // expected-error @+1 {{the buffer of type memref<1xf32> of block 'negate' lives in loop 0 of block 'negate'}}
    transform.nest.fuse_epilogue %negate into %sum
    transform.yield
  }
}
