// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Without reduction: the iterators come apart, those that stand still outside
// are not the new block's.
// CHECK-LABEL: nest.func @relu
// CHECK: nest.for %[[IO:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "B_o" (%[[VO:.*]] : spatial = %[[IO]] to 4) {
// CHECK-NEXT: nest.for %[[II:.*]] = 0 to 16 {
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "B" (%{{.*}} : spatial = %[[II]] + %[[VO]] * 16 to 64, %{{.*}} : spatial = %[[J]] to 8) {
module attributes {transform.with_named_sequence} {
  nest.func @relu(%A: memref<64x8xf32>, %B: memref<64x8xf32>) {
    nest.for %i = 0 to 64 {
      nest.for %j = 0 to 8 {
        nest.block "B" (%vi : spatial = %i to 64, %vj : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          %a = memref.load %A[%vi, %vj] : memref<64x8xf32>
          %r = arith.maximumf %a, %z : f32
          memref.store %r, %B[%vi, %vj] : memref<64x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %io, %ii = transform.nest.split %i by [-1, 16] : 2
    %o = transform.nest.blockize %ii
    transform.yield
  }
}

// -----

// The reduction goes on outside: the init is a nest of the new block. Loops
// around and inside are scheduled on, and the init leaves as a nest.
// CHECK-LABEL: nest.func @sum
// CHECK: nest.for %[[IO:.*]] = 0 to 2 parallel
// CHECK-NEXT: nest.block "C_o_init" (%[[Z:.*]] : spatial = %[[IO]] to 2) {
// CHECK-NEXT: nest.for %[[ZI:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "C_init" (%{{.*}} : spatial = %[[ZI]] + %[[Z]] * 8 to 16) {
// CHECK: nest.for %[[KO:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "C_o" (%[[V:.*]] : spatial = %[[IO]] to 2, %[[W:.*]] : reduce = %[[KO]] to 4) {
// CHECK-NEXT: nest.for %[[KI:.*]] = 0 to 3 {
// CHECK-NEXT: nest.for %[[KJ:.*]] = 0 to 2 {
// CHECK-NEXT: nest.for %[[II:.*]] = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "C" (%{{.*}} : spatial = %[[II]] + %[[V]] * 8 to 16, %{{.*}} : reduce = %[[KI]] * 2 + %[[KJ]] + %[[W]] * 6 to 24) {
module attributes {transform.with_named_sequence} {
  nest.func @sum(%A: memref<24x16xf32>, %C: memref<16xf32>) {
    nest.for %i = 0 to 16 {
      nest.for %k = 0 to 24 {
        nest.block "C" (%vi : spatial = %i to 16, %vk : reduce = %k to 24) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<16xf32>
        } {
          %a = memref.load %A[%vk, %vi] : memref<24x16xf32>
          %c = memref.load %C[%vi] : memref<16xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<16xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %c : 2
    %io, %ii = transform.nest.split %i by [-1, 8] : 2
    %ko, %ki = transform.nest.split %k by [-1, 6] : 2
    transform.nest.reorder %io, %ko, %ii, %ki
    %o = transform.nest.blockize %ii
    %lo, %lk = transform.nest.get_loops %o : 2
    %inner = transform.nest.get_block "C" in %root : !transform.any_op
    %mi, %mk = transform.nest.get_loops %inner : 2
    transform.nest.reorder %mk, %mi
    transform.nest.vectorize %mi
    %k0, %k1 = transform.nest.split %mk by [-1, 2] : 2
    %init = transform.nest.decompose_reduction %o at %lk
    transform.nest.parallel %lo grain [1]
    transform.yield
  }
}

// -----

// All of the reduction is inside: so is its init. A predicate of outer loops
// is the new block's.
// CHECK-LABEL: nest.func @inside
// CHECK: nest.block "C_o" (%[[V:.*]] : spatial = %[[I:.*]] to 7) where (-%[[I]] + 6 >= 0) {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 24 {
// CHECK-NEXT: nest.block "C" (%{{.*}} : spatial = %[[V]] to 7, %{{.*}} : reduce = %[[K]] to 24) init {
module attributes {transform.with_named_sequence} {
  nest.func @inside(%A: memref<24x7xf32>, %C: memref<7xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 24 {
        nest.block "C" (%vi : spatial = %i to 7, %vk : reduce = %k to 24) where (6 - %i >= 0) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<7xf32>
        } {
          %a = memref.load %A[%vk, %vi] : memref<24x7xf32>
          %c = memref.load %C[%vi] : memref<7xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<7xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %k
    transform.yield
  }
}

// -----

// Blocks of blocks; sizes stay sizes.
// CHECK-LABEL: nest.func @twice
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N:.*]]) {
// CHECK-NEXT: nest.block "B_o_o" (%[[V:.*]] : spatial = %[[I]] to symbol(%[[N]])) {
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "B_o" (%[[W:.*]] : spatial = %[[V]] to symbol(%[[N]]), %[[X:.*]] : spatial = %[[J]] to 4) {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 2 {
// CHECK-NEXT: nest.block "B" (%{{.*}} : spatial = %[[W]] to symbol(%[[N]]), %{{.*}} : spatial = %[[K]] + %[[X]] * 2 to 8) {
module attributes {transform.with_named_sequence} {
  nest.func @twice(%A: memref<?x8xf32>, %B: memref<?x8xf32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (n, 8)>, affine_map<()[n] -> (n, 8)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 8 {
        nest.block "B" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 8) {
          %a = memref.load %A[%vi, %vj] : memref<?x8xf32>
          memref.store %a, %B[%vi, %vj] : memref<?x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %jo, %ji = transform.nest.split %j by [-1, 2] : 2
    %o = transform.nest.blockize %ji
    %oo = transform.nest.blockize %jo
    transform.yield
  }
}
