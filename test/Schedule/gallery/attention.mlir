// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// Attention of one head, in one pass over keys and values: Y = softmax(Q K / 8) V.
//
// Written down are seven plain nests with the whole matrix of scores between
// them. Scheduled, a block of four queries meets the keys in tiles of 64: scores
// of the tile, their maximum, the exponentials, their sum and their product with
// the values, the latter two corrected when the maximum grows (Dao et al.,
// "FlashAttention", 2022). A tile stays in the first cache.
// AS: 256=8 1024=192
// TOLERANCE: 1e-4

// CHECK-LABEL: nest.func @attention
// CHECK: nest.for %{{.*}} = 0 to 64 parallel
// CHECK: nest.block "values_init"
// CHECK: nest.for %[[L:.*]] = 0 to 16 {
// CHECK: nest.alloc : memref<4x64xf32>
// CHECK: nest.block "max_old"
// CHECK: nest.block "scores_init"
// CHECK: nest.block "scores"
// CHECK: nest.block "max"
// CHECK: nest.block "max_step"
// CHECK: nest.block "exp"
// CHECK: nest.block "values_fix"
// CHECK: nest.block "values"
// CHECK: nest.block "sum_fix"
// CHECK: nest.block "sum"
// CHECK: nest.block "div"
module attributes {transform.with_named_sequence} {
  // The keys are columns.
  nest.func @attention(%Q: memref<256x64xf32>, %K: memref<64x1024xf32>, %V: memref<1024x64xf32>,
                       %Y: memref<256x64xf32>) {
    %S = nest.alloc : memref<256x1024xf32>
    %T = nest.alloc : memref<256x1024xf32>
    %M = nest.alloc : memref<256xf32>
    %P = nest.alloc : memref<256x1024xf32>
    %L = nest.alloc : memref<256xf32>
    %O = nest.alloc : memref<256x64xf32>
    nest.for %i = 0 to 256 {
      nest.for %l = 0 to 1024 {
        nest.for %d = 0 to 64 {
          nest.block "scores" (%vi : spatial = %i to 256, %vl : spatial = %l to 1024, %vd : reduce = %d to 64) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%vi, %vl] : memref<256x1024xf32>
          } {
            %q = memref.load %Q[%vi, %vd] : memref<256x64xf32>
            %k = memref.load %K[%vd, %vl] : memref<64x1024xf32>
            %s = memref.load %S[%vi, %vl] : memref<256x1024xf32>
            %p = arith.mulf %q, %k : f32
            %r = arith.addf %s, %p : f32
            memref.store %r, %S[%vi, %vl] : memref<256x1024xf32>
          }
        }
      }
    }
    nest.for %i = 0 to 256 {
      nest.for %l = 0 to 1024 {
        nest.block "scale" (%vi : spatial = %i to 256, %vl : spatial = %l to 1024) {
          %s = memref.load %S[%vi, %vl] : memref<256x1024xf32>
          %c = arith.constant 0.125 : f32
          %t = arith.mulf %s, %c : f32
          memref.store %t, %T[%vi, %vl] : memref<256x1024xf32>
        }
      }
    }
    nest.for %i = 0 to 256 {
      nest.for %l = 0 to 1024 {
        nest.block "max" (%vi : spatial = %i to 256, %vl : reduce = %l to 1024) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%vi] : memref<256xf32>
        } {
          %t = memref.load %T[%vi, %vl] : memref<256x1024xf32>
          %m = memref.load %M[%vi] : memref<256xf32>
          %r = arith.maximumf %m, %t : f32
          memref.store %r, %M[%vi] : memref<256xf32>
        }
      }
    }
    nest.for %i = 0 to 256 {
      nest.for %l = 0 to 1024 {
        nest.block "exp" (%vi : spatial = %i to 256, %vl : spatial = %l to 1024) {
          %t = memref.load %T[%vi, %vl] : memref<256x1024xf32>
          %m = memref.load %M[%vi] : memref<256xf32>
          %d = arith.subf %t, %m : f32
          %e = math.exp %d : f32
          memref.store %e, %P[%vi, %vl] : memref<256x1024xf32>
        }
      }
    }
    nest.for %i = 0 to 256 {
      nest.for %l = 0 to 1024 {
        nest.block "sum" (%vi : spatial = %i to 256, %vl : reduce = %l to 1024) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %L[%vi] : memref<256xf32>
        } {
          %e = memref.load %P[%vi, %vl] : memref<256x1024xf32>
          %s = memref.load %L[%vi] : memref<256xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %L[%vi] : memref<256xf32>
        }
      }
    }
    nest.for %i = 0 to 256 {
      nest.for %l = 0 to 1024 {
        nest.for %j = 0 to 64 {
          nest.block "values" (%vi : spatial = %i to 256, %vj : spatial = %j to 64, %vl : reduce = %l to 1024) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %O[%vi, %vj] : memref<256x64xf32>
          } {
            %e = memref.load %P[%vi, %vl] : memref<256x1024xf32>
            %v = memref.load %V[%vl, %vj] : memref<1024x64xf32>
            %o = memref.load %O[%vi, %vj] : memref<256x64xf32>
            %p = arith.mulf %e, %v : f32
            %r = arith.addf %o, %p : f32
            memref.store %r, %O[%vi, %vj] : memref<256x64xf32>
          }
        }
      }
    }
    nest.for %i = 0 to 256 {
      nest.for %j = 0 to 64 {
        nest.block "div" (%vi : spatial = %i to 256, %vj : spatial = %j to 64) {
          %o = memref.load %O[%vi, %vj] : memref<256x64xf32>
          %l = memref.load %L[%vi] : memref<256xf32>
          %r = arith.divf %o, %l : f32
          memref.store %r, %Y[%vi, %vj] : memref<256x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %scores = transform.nest.get_block "scores" in %root : !transform.any_op
    %scale = transform.nest.get_block "scale" in %root : !transform.any_op
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %exp = transform.nest.get_block "exp" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %values = transform.nest.get_block "values" in %root : !transform.any_op
    %div = transform.nest.get_block "div" in %root : !transform.any_op
    transform.nest.compute_inline %scale
    // Four queries in one iteration: product with the values, quotient, then
    // what they need.
    %i, %l, %j = transform.nest.get_loops %values : 3
    %io, %ii = transform.nest.split %i by [-1, 4] : 2
    %lo, %li = transform.nest.split %l by [-1, 64] : 2
    transform.nest.reorder %io, %lo, %ii, %li, %j
    transform.nest.reverse_compute_at %div at %io
    transform.nest.compute_at %sum at %io
    transform.nest.compute_at %exp at %io
    transform.nest.compute_at %max at %io
    // The same tiles of keys for all, then one pass over them.
    %ios, %iis, %ls = transform.nest.get_loops %sum : 3
    %los, %lis = transform.nest.split %ls by [-1, 64] : 2
    transform.nest.reorder %los, %iis, %lis
    %ioe, %iie, %le = transform.nest.get_loops %exp : 3
    %loe, %lie = transform.nest.split %le by [-1, 64] : 2
    transform.nest.reorder %loe, %iie, %lie
    %iom, %iim, %lm = transform.nest.get_loops %max : 3
    %lom, %lim = transform.nest.split %lm by [-1, 64] : 2
    transform.nest.reorder %lom, %iim, %lim
    %step = transform.nest.fuse_reductions %max, %exp, %sum, %values at %lo
    transform.nest.compute_at %scores at %lo
    // Both products by register tiles of 4 x 16; what a tile starts with stands
    // in front.
    %a, %b, %isc, %lsc, %d = transform.nest.get_loops %scores : 5
    %lsc1, %lsc2 = transform.nest.split %lsc by [-1, 16] : 2
    transform.nest.reorder %lsc1, %d, %isc, %lsc2
    %zero = transform.nest.decompose_reduction %scores at %d
    %j1, %j2 = transform.nest.split %j by [-1, 16] : 2
    transform.nest.reorder %j1, %li, %ii, %j2
    %zeros = transform.nest.decompose_reduction %values at %lo
    transform.nest.unroll %isc
    transform.nest.vectorize %lsc2
    transform.nest.unroll %ii
    transform.nest.vectorize %j2
    // The rest by whole tiles as vectors.
    transform.nest.vectorize %lim
    transform.nest.vectorize %lie
    transform.nest.vectorize %lis
    %fix = transform.nest.get_block "values_fix" in %root : !transform.any_op
    %iof, %lof, %iif, %jf = transform.nest.get_loops %fix : 4
    transform.nest.vectorize %jf
    %iod, %iid, %jd = transform.nest.get_loops %div : 3
    transform.nest.vectorize %jd
    transform.nest.parallel %io grain [2]
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
