// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// Layer normalisation with scale and offset: the mean, the squared distances
// from it, and the normalised row, all in one iteration over the rows. A row
// stays in the first cache, so three passes with full vectors are the fastest;
// @welford needs the row once for both sums.
// SIZES: 9
// BENCH: 2048
// TOLERANCE: 1e-4

// CHECK-LABEL: nest.func @layernorm
// CHECK: nest.for %{{.*}} = 0 to symbol(%{{.*}}) parallel
// CHECK: nest.alloc : memref<1xf32>
// CHECK: nest.alloc : memref<1xf32>
// CHECK: nest.for %{{.*}} = 0 to 64 vectorize
// CHECK: nest.block "sum"
// CHECK: nest.for %{{.*}} = 0 to 64 vectorize
// CHECK: nest.block "squares"
// CHECK: nest.for %{{.*}} = 0 to 64 vectorize
// CHECK: nest.block "norm"
module attributes {transform.with_named_sequence} {
  nest.func @layernorm(%X: memref<?x768xf32>, %scale: memref<768xf32>, %offset: memref<768xf32>,
                       %Y: memref<?x768xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0, 768)>, affine_map<()[s0] -> (768)>,
                            affine_map<()[s0] -> (768)>, affine_map<()[s0] -> (s0, 768)>]} {
    %S = nest.alloc [symbol(%n)] : memref<?xf32>
    %Q = nest.alloc [symbol(%n)] : memref<?xf32>
    nest.for %i = 0 to symbol(%n) {
      nest.for %k = 0 to 768 {
        nest.block "sum" (%vi : spatial = %i to symbol(%n), %vk : reduce = %k to 768) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%vi] : memref<?xf32>
        } {
          %x = memref.load %X[%vi, %vk] : memref<?x768xf32>
          %s = memref.load %S[%vi] : memref<?xf32>
          %r = arith.addf %s, %x : f32
          memref.store %r, %S[%vi] : memref<?xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %k = 0 to 768 {
        nest.block "squares" (%vi : spatial = %i to symbol(%n), %vk : reduce = %k to 768) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %Q[%vi] : memref<?xf32>
        } {
          %x = memref.load %X[%vi, %vk] : memref<?x768xf32>
          %s = memref.load %S[%vi] : memref<?xf32>
          %c = arith.constant 768.0 : f32
          %m = arith.divf %s, %c : f32
          %d = arith.subf %x, %m : f32
          %dd = arith.mulf %d, %d : f32
          %q = memref.load %Q[%vi] : memref<?xf32>
          %r = arith.addf %q, %dd : f32
          memref.store %r, %Q[%vi] : memref<?xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 768 {
        nest.block "norm" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 768) {
          %x = memref.load %X[%vi, %vj] : memref<?x768xf32>
          %s = memref.load %S[%vi] : memref<?xf32>
          %q = memref.load %Q[%vi] : memref<?xf32>
          %g = memref.load %scale[%vj] : memref<768xf32>
          %b = memref.load %offset[%vj] : memref<768xf32>
          %c = arith.constant 768.0 : f32
          %eps = arith.constant 1.0e-5 : f32
          %m = arith.divf %s, %c : f32
          %var = arith.divf %q, %c : f32
          %v = arith.addf %var, %eps : f32
          %root = math.sqrt %v : f32
          %one = arith.constant 1.0 : f32
          %inv = arith.divf %one, %root : f32
          %d = arith.subf %x, %m : f32
          %u = arith.mulf %d, %inv : f32
          %w = arith.mulf %u, %g : f32
          %r = arith.addf %w, %b : f32
          memref.store %r, %Y[%vi, %vj] : memref<?x768xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %squares = transform.nest.get_block "squares" in %root : !transform.any_op
    %norm = transform.nest.get_block "norm" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %squares : 2
    transform.nest.reverse_compute_at %norm at %i
    transform.nest.compute_at %sum at %i
    %ko, %ki = transform.nest.split %k by [-1, 64] : 2
    transform.nest.vectorize %ki
    %ia, %ks = transform.nest.get_loops %sum : 2
    %kso, %ksi = transform.nest.split %ks by [-1, 64] : 2
    transform.nest.vectorize %ksi
    %ib, %j = transform.nest.get_loops %norm : 2
    %jo, %ji = transform.nest.split %j by [-1, 64] : 2
    transform.nest.vectorize %ji
    transform.nest.parallel %i grain [8]
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }

  transform.named_sequence @welford(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %squares = transform.nest.get_block "squares" in %root : !transform.any_op
    %norm = transform.nest.get_block "norm" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %squares : 2
    transform.nest.reverse_compute_at %norm at %i
    transform.nest.compute_at %sum at %i
    %both = transform.nest.fuse_reductions %sum, %squares at %k
    %ib, %j = transform.nest.get_loops %norm : 2
    %jo, %ji = transform.nest.split %j by [-1, 64] : 2
    transform.nest.vectorize %ji
    transform.nest.parallel %i grain [8]
    transform.yield
  }
}
