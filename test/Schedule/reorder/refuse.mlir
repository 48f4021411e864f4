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
