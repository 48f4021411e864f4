// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    // expected-note @+1 {{fused loops must follow each other directly}}
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i2 = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i2 * 4 + %j to 64) {
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
    // expected-error @+1 {{is not the only thing inside the loop before}}
    %f = transform.nest.fuse %i, %k
    transform.yield
  }
}
