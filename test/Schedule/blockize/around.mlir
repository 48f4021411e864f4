// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// What moves around a block that holds a nest: a copy of what it reads, per step
// of the loop around it, in two versions that take turns and one step ahead. The
// corner of the copy and its version enter the nest as iterators.
// CHECK-LABEL: nest.func @staged
// CHECK: %[[T:.*]] = nest.alloc : memref<2x8x4xf32>
// CHECK: nest.block "C_o_read0_prologue"
// CHECK: nest.for %[[KO:.*]] = 0 to 7 {
// CHECK: nest.block "C_o_read0" (
// CHECK-SAME: (%[[KO]] + 1) mod 2 to 2
// CHECK: nest.block "C_o" (%{{.*}} : reduce = %[[KO]] to 8
// CHECK-SAME: %[[VERSION:[^ ]*]] : ordered = %[[KO]] mod 2 to 2) init {
// CHECK: nest.block "C_init"
// CHECK: nest.block "C" (
// CHECK-SAME: %[[V:[^ ]*]] : ordered = %[[VERSION]] to 2) {
// CHECK: memref.load %[[T]][%[[V]],
// CHECK: nest.block "C_o_epilogue"
module attributes {transform.with_named_sequence} {
  nest.func @staged(%A: memref<8x32xf32>, %C: memref<8xf32>) {
    nest.for %k = 0 to 32 {
      nest.for %i = 0 to 8 {
        nest.block "C" (%vi : spatial = %i to 8, %vk : reduce = %k to 32) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<8xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<8x32xf32>
          %c = memref.load %C[%vi] : memref<8xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %c : 2
    %ko, %ki = transform.nest.split %k by [-1, 4] : 2
    %o = transform.nest.blockize %ki
    %t = transform.nest.cache_read %o read 0 in "shared"
    transform.nest.compute_at %t at %ko
    transform.nest.compact_buffers %root : !transform.any_op
    transform.nest.pipeline %ko stages [0, 1] order [0, 1]
    transform.yield
  }
}

// -----

// Loops around are the loops of any block; nests that share no buffer are in
// nobody's way.
// CHECK-LABEL: nest.func @beside
// CHECK: nest.for %[[I:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[J:.*]] = %[[I]] to %[[I]] + 4 {
// CHECK-NEXT: nest.block "B_o" (%[[V:.*]] : spatial = %[[I]] to 4, %[[W:.*]] : spatial = -%[[I]] + %[[J]] to 4) {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 8 {
// CHECK-NOT: nest.block "P"
// CHECK: nest.block "D"
module attributes {transform.with_named_sequence} {
  nest.func @beside(%A: memref<4x32xf32>, %B: memref<4x32xf32>, %C: memref<8xf32>, %D: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 32 {
        nest.block "B" (%vi : spatial = %i to 4, %vj : spatial = %j to 32) {
          %a = memref.load %A[%vi, %vj] : memref<4x32xf32>
          memref.store %a, %B[%vi, %vj] : memref<4x32xf32>
        }
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "P" (%vi : spatial = %i to 8) {
        %c = memref.load %C[%vi] : memref<8xf32>
        memref.store %c, %T[%vi] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "D" (%vi : spatial = %i to 8) {
        %t = memref.load %T[%vi] : memref<8xf32>
        memref.store %t, %D[%vi] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %jo, %ji = transform.nest.split %j by [-1, 8] : 2
    %o = transform.nest.blockize %ji
    transform.nest.skew %jo along %i by 1
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.compute_inline %p
    transform.yield
  }
}
