// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 6 {
// CHECK: nest.block "B"
// CHECK-NOT: where
// CHECK: nest.for %{{.*}} = 6 to 7 {
// CHECK: nest.block "B_tail" {{.*}} where
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %o, %n = transform.nest.split %i by [-1, 16] : 2
    %f, %r = transform.nest.separate_full_partial %o
    transform.yield
  }
}

// -----

// Tiles of a triangle: those left of the diagonal are full.
// CHECK-LABEL: nest.func @triangle
// CHECK: nest.for %[[I:.*]] = 0 to min({{.*}}, symbol(%[[N:.*]]) floordiv 4) {
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to %[[I]] {
// CHECK-NEXT: nest.for %[[II:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[JI:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "B" ({{.*}}) {
// CHECK: nest.for %[[J2:.*]] = %[[I]] to %[[I]] + 1 {
// CHECK: nest.block "B_tail_1" ({{.*}}) where (
// CHECK: nest.for %{{.*}} = symbol(%[[N]]) floordiv 4 to
// CHECK: nest.block "B_tail" ({{.*}}) where (
module attributes {transform.with_named_sequence} {
  nest.func @triangle(%A: memref<?x?xf32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (n, n)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to %i + 1 {
        nest.block "B" (%u : spatial = %i to symbol(%n), %v : spatial = %j to symbol(%n)) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<?x?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %io, %ii = transform.nest.split %i by [-1, 4] : 2
    %jo, %ji = transform.nest.split %j by [-1, 4] : 2
    transform.nest.reorder %io, %jo, %ii, %ji
    %f, %r = transform.nest.separate_full_partial %io
    %f2, %r2 = transform.nest.separate_full_partial %jo
    transform.yield
  }
}

// -----

// Cut on both sides, by bounds that a division is in.
// CHECK-LABEL: nest.func @band
// CHECK: nest.block "B_head"
// CHECK: nest.for %[[J:.*]] = 7 to symbol(%[[N:.*]]) {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.block "B" (
// CHECK: nest.for %{{.*}} = symbol(%[[N]]) to symbol(%[[N]]) + 6 {
// CHECK: nest.block "B_tail"
module attributes {transform.with_named_sequence} {
  nest.func @band(%A: memref<4x?xf32>, %n: index {nest.min = 8 : i64})
      attributes {shapes = [affine_map<()[n] -> (4, n)>]} {
    nest.for %i = 0 to 4 {
      nest.for %j = 1 to symbol(%n) {
        nest.block "B" (%u : spatial = %i to 4, %v : spatial = %j to symbol(%n)) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<4x?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.skew %j along %i by 2
    transform.nest.reorder %j, %i
    %f, %r = transform.nest.separate_full_partial %j
    transform.yield
  }
}
