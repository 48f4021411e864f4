// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// Softmax of rows in one pass over the row for maximum and sum, and one for the
// quotient, by blocks of rows on several threads.
//
// Written down are four loops over the matrix: the maximum, the exponentials,
// their sum, the quotient. Here the exponentials are inlined, everything moves
// into the loop over rows, and the two reductions run over tiles of 64 columns
// together: the sum so far is scaled when the maximum grows. A tile is one
// vector, so that lanes are combined once for 64 elements.
// SIZES: 9
// BENCH: 2048
// TOLERANCE: 1e-5

// CHECK-LABEL: nest.func @softmax
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%{{.*}}) parallel
// CHECK: nest.block "max_init"
// CHECK: nest.block "sum_init"
// CHECK: nest.for %[[K:.*]] = 0 to 16 {
// CHECK: nest.block "max_old" {{.*}} where (%[[K]] - 1 >= 0)
// CHECK: nest.for %{{.*}} = 0 to 64 vectorize
// CHECK: nest.block "max"
// CHECK: nest.block "max_step"
// CHECK: math.exp
// CHECK: nest.block "sum_fix"
// CHECK: arith.select
// CHECK: nest.for %{{.*}} = 0 to 64 vectorize
// CHECK: nest.block "sum"
// CHECK: nest.block "div"
module attributes {transform.with_named_sequence} {
  nest.func @softmax(%X: memref<?x1024xf32>, %Y: memref<?x1024xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0, 1024)>, affine_map<()[s0] -> (s0, 1024)>]} {
    %M = nest.alloc [symbol(%n)] : memref<?xf32>
    %E = nest.alloc [symbol(%n), 1024] : memref<?x1024xf32>
    %S = nest.alloc [symbol(%n)] : memref<?xf32>
    nest.for %i = 0 to symbol(%n) {
      nest.for %k = 0 to 1024 {
        nest.block "max" (%vi : spatial = %i to symbol(%n), %vk : reduce = %k to 1024) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%vi] : memref<?xf32>
        } {
          %x = memref.load %X[%vi, %vk] : memref<?x1024xf32>
          %m = memref.load %M[%vi] : memref<?xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%vi] : memref<?xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 1024 {
        nest.block "exp" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 1024) {
          %x = memref.load %X[%vi, %vj] : memref<?x1024xf32>
          %m = memref.load %M[%vi] : memref<?xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          memref.store %e, %E[%vi, %vj] : memref<?x1024xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %k = 0 to 1024 {
        nest.block "sum" (%vi : spatial = %i to symbol(%n), %vk : reduce = %k to 1024) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%vi] : memref<?xf32>
        } {
          %e = memref.load %E[%vi, %vk] : memref<?x1024xf32>
          %s = memref.load %S[%vi] : memref<?xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%vi] : memref<?xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 1024 {
        nest.block "div" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 1024) {
          %e = memref.load %E[%vi, %vj] : memref<?x1024xf32>
          %s = memref.load %S[%vi] : memref<?xf32>
          %r = arith.divf %e, %s : f32
          memref.store %r, %Y[%vi, %vj] : memref<?x1024xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %exp = transform.nest.get_block "exp" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %div = transform.nest.get_block "div" in %root : !transform.any_op
    transform.nest.compute_inline %exp
    // All of a row in one iteration.
    %i, %ks = transform.nest.get_loops %sum : 2
    transform.nest.reverse_compute_at %div at %i
    transform.nest.compute_at %max at %i
    // Maximum and sum over the same tiles, then in one pass.
    %ia, %km = transform.nest.get_loops %max : 2
    %kmo, %kmi = transform.nest.split %km by [-1, 64] : 2
    %kso, %ksi = transform.nest.split %ks by [-1, 64] : 2
    %step = transform.nest.fuse_reductions %max, %sum at %kso
    %initm = transform.nest.decompose_reduction %max at %kso
    %inits = transform.nest.decompose_reduction %sum at %kso
    transform.nest.vectorize %kmi
    transform.nest.vectorize %ksi
    %ib, %j = transform.nest.get_loops %div : 2
    %jo, %ji = transform.nest.split %j by [-1, 64] : 2
    transform.nest.vectorize %ji
    transform.nest.parallel %i grain [8]
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
