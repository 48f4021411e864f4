// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x64xf32>, %S: memref<8xf32>) {
    // expected-note @+1 {{only reduction loops can be factored}}
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 64 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 64) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x64xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %s : 2
    // expected-error @+1 {{loop 0 of block 'S' feeds no reduce iterator}}
    %r = transform.nest.rfactor %i axis 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x64xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 64 {
        // expected-note @+1 {{its parts could not be combined}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 64) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x64xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.subf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %s : 2
    // expected-error @+1 {{the update of block 'S' is no known associative operation}}
    %r = transform.nest.rfactor %k axis 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %S: memref<8xf32>) {
    nest.for %k = 0 to 6 {
      // expected-note @+1 {{the parts are combined without it}}
      nest.for %i = %k to 8 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %s : 2
    // expected-error @+1 {{the bounds of loop 1 of block 'S' depend on a reduction loop}}
    %r = transform.nest.rfactor %k axis 0
    transform.yield
  }
}

// -----

// The steps from 2 on: another loop has started the sum.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %S: memref<8xf32>) {
    nest.for %k = 0 to 4 {
      nest.for %i = 0 to 8 {
        // expected-note @+1 {{the combined parts would start it anew}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k + 2 to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %s : 2
    // expected-error @+1 {{the first step of the reduction of block 'S' may not be inside loop 0 of block 'S'}}
    %r = transform.nest.rfactor %k axis 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?xf32>, %S: memref<1xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (1)>]} {
    nest.for %i = 0 to 1 {
      // expected-note @+1 {{parts of the sum would have no value; rfactor before cutting the loop}}
      nest.for %ko = 0 to symbol(%n) floordiv 3 {
        nest.for %ki = 0 to 3 {
          nest.block "S" (%v : spatial = %i to 1, %vk : reduce = %ko * 3 + %ki to symbol(%n)) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%v] : memref<1xf32>
          } {
            %a = memref.load %A[%vk] : memref<?xf32>
            %s = memref.load %S[%v] : memref<1xf32>
            %r = arith.addf %s, %a : f32
            memref.store %r, %S[%v] : memref<1xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %ko, %ki = transform.nest.get_loops %b : 3
    // expected-error @+1 {{may run not even once where the sizes are not 0}}
    %p = transform.nest.rfactor %ki axis 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>, %I: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{parts of the outermost reduction loop, loop 1 of block 'S', would keep their order; or give it a rule for equal values}}
      nest.for %k = 0 to 10 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) init {
          %z = arith.constant -1.0e+9 : f32
          %n = arith.constant -1 : i32
          memref.store %z, %S[%v] : memref<8xf32>
          memref.store %n, %I[%v] : memref<8xi32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %j = arith.index_cast %vk : index to i32
          %s = memref.load %S[%v] : memref<8xf32>
          %o = memref.load %I[%v] : memref<8xi32>
          %better = arith.cmpf ogt, %a, %s : f32
          %x = arith.select %better, %a, %s : f32
          %y = arith.select %better, %j, %o : i32
          memref.store %x, %S[%v] : memref<8xf32>
          memref.store %y, %I[%v] : memref<8xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    %ko, %ki = transform.nest.split %k by [-1, 5] : 2
    // expected-error @+1 {{the steps of block 'S' may not change places}}
    %p = transform.nest.rfactor %ki axis 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 10 {
        // expected-note @+1 {{the reduction is started there; split the reduction by a factor that divides it, or factor an inner loop}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) where (%k - 3 >= 0) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    // expected-error @+1 {{the predicate of block 'S' can skip the first step of all}}
    %p = transform.nest.rfactor %k axis 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{of the accumulator}}
      nest.for %k = 0 to 10 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    // expected-error @+1 {{there is no axis -3 to insert into 1 dims}}
    %p = transform.nest.rfactor %k axis -3
    transform.yield
  }
}
