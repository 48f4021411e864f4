// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9x6xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{through argument 0; skew the loops first}}
        nest.block "B" (%u : ordered = %i to 8, %v : ordered = %j to 4) {
          %one = arith.constant 1 : index
          %two = arith.constant 2 : index
          %u1 = arith.addi %u, %one : index
          %v1 = arith.addi %v, %one : index
          %v2 = arith.addi %v, %two : index
          %a = memref.load %A[%u, %v2] : memref<9x6xf32>
          memref.store %a, %A[%u1, %v1] : memref<9x6xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{steps of block 'B' depend on each other and would change places}}
    transform.nest.reorder %j, %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    // expected-note @+1 {{reorder before moving blocks into it}}
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j, %k = transform.nest.get_loops %c : 2
    // expected-error @+1 {{the loops are not one chain}}
    transform.nest.reorder %i, %k
    transform.yield
  }
}

// -----

// The loop %r feeds nothing: each of its iterations starts the sum anew.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.for %k = 0 to 5 {
          // expected-note @+1 {{its init would not come first; decompose the reduction}}
          nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 5) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%v] : memref<8xf32>
          } {
            %a = memref.load %A[%v, %vk] : memref<8x5xf32>
            %s = memref.load %S[%v] : memref<8xf32>
            %x = arith.addf %s, %a : f32
            memref.store %x, %S[%v] : memref<8xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r, %k = transform.nest.get_loops %s : 3
    // expected-error @+1 {{steps of block 'S' depend on each other and would change places}}
    transform.nest.reorder %k, %r
    transform.yield
  }
}

// -----

// %i + %j comes back to an element.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 4 {
        nest.for %k = 0 to 5 {
          // expected-note @+1 {{its init would not come first; decompose the reduction}}
          nest.block "S" (%v : spatial = %i + %j to 8, %vk : reduce = %k to 5) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%v] : memref<8xf32>
          } {
            %a = memref.load %A[%v, %vk] : memref<8x5xf32>
            %s = memref.load %S[%v] : memref<8xf32>
            %x = arith.addf %s, %a : f32
            memref.store %x, %S[%v] : memref<8xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %s : 3
    // expected-error @+1 {{steps of block 'S' depend on each other and would change places}}
    transform.nest.reorder %k, %i
    transform.yield
  }
}

// -----

// The first of equal values wins: the order of steps shows.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4x5xf32>, %M: memref<1xf32>, %X: memref<1xi32>) {
    nest.for %j = 0 to 4 {
      nest.for %k = 0 to 5 {
        // expected-note @+1 {{its update is no known associative operation, so its reduce loops keep their order}}
        nest.block "X" (%vj : reduce = %j to 4, %vk : reduce = %k to 5) {
          %c0 = arith.constant 0 : index
          %a = memref.load %A[%vj, %vk] : memref<4x5xf32>
          %m = memref.load %M[%c0] : memref<1xf32>
          %x = memref.load %X[%c0] : memref<1xi32>
          %i = arith.index_cast %vk : index to i32
          %more = arith.cmpf ogt, %a, %m : f32
          %m1 = arith.select %more, %a, %m : f32
          %x1 = arith.select %more, %i, %x : i32
          memref.store %m1, %M[%c0] : memref<1xf32>
          memref.store %x1, %X[%c0] : memref<1xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %x = transform.nest.get_block "X" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %x : 2
    // expected-error @+1 {{steps of block 'X' depend on each other and would change places}}
    transform.nest.reorder %k, %j
    transform.yield
  }
}

// -----

// Rows are independent of each other only within one step of %t.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>) {
    nest.for %t = 0 to 4 {
      // expected-note @+1 {{reorder before giving loops a kind}}
      nest.for %i = 0 to 4 {
        nest.block "B" (%v : ordered = %t to 4, %u : ordered = %i to 4) {
          %one = arith.constant 1 : index
          %next = arith.addi %v, %one : index
          %two = arith.addi %u, %one : index
          %a = memref.load %A[%v, %u] : memref<8x5xf32>
          memref.store %a, %A[%next, %two] : memref<8x5xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %t, %i = transform.nest.get_loops %b : 2
    transform.nest.parallel %i grain [1]
    // expected-error @+1 {{loop 1 of block 'B' is parallel and would move out of loop 0 of block 'B'}}
    transform.nest.reorder %i, %t
    transform.yield
  }
}

// -----

// The first step of the reduction is at %ko = 0, %ki = 1: with %ki outside of
// %ko it would come after %ko = 1, %ki = 0.
module attributes {transform.with_named_sequence} {
  nest.func @shifted(%A: memref<4xf32>, %C: memref<1xf32>) {
    nest.for %i = 0 to 1 {
      nest.for %ko = 0 to 3 {
        nest.for %ki = 0 to 2 {
          // expected-note @below {{its init would not come first; decompose the reduction}}
          nest.block "C" (%vi : spatial = %i to 1, %vk : reduce = %ko * 2 + %ki - 1 to 4) where (%ko * 2 + %ki - 1 >= 0, %ko * -2 - %ki + 4 >= 0) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi] : memref<1xf32>
          } {
            %a = memref.load %A[%vk] : memref<4xf32>
            %c = memref.load %C[%vi] : memref<1xf32>
            %s = arith.addf %c, %a : f32
            memref.store %s, %C[%vi] : memref<1xf32>
          }
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %ko, %ki = transform.nest.get_loops %c : 3
    // expected-error @below {{steps of block 'C' depend on each other and would change places}}
    transform.nest.reorder %ki, %ko
    transform.yield
  }
}
