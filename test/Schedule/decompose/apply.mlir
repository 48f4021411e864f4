// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "S_init" (%{{.*}} : spatial = %[[I]] to 8) {
// CHECK: nest.for %{{.*}} = 0 to 64 {
// CHECK-NEXT: nest.block "S" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : reduce = %{{.*}} to 64) {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x64xf32>, %S: memref<8xf32>) {
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
    %z = transform.nest.decompose_reduction %s at %k
    transform.yield
  }
}

// -----

// Both accumulators of a tuple start in one block, and its steps may change
// places: equal values are told apart by their index.
// CHECK-LABEL: nest.func @argmax
// CHECK: nest.block "best_init"
// CHECK: memref.store %{{.*}}, %arg1
// CHECK: memref.store %{{.*}}, %arg2
// CHECK: nest.for %[[K:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[I:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "best" (%{{.*}} : spatial = %[[I]] to 4, %{{.*}} : reduce = %[[K]] to 8) {
module attributes {transform.with_named_sequence} {
  nest.func @argmax(%A: memref<4x8xf32>, %M: memref<4xf32>, %I: memref<4xi64>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 8 {
        nest.block "best" (%v : spatial = %i to 4, %w : reduce = %k to 8) init {
          %z = arith.constant 0xFF800000 : f32
          %n = arith.constant 99 : i64
          memref.store %z, %M[%v] : memref<4xf32>
          memref.store %n, %I[%v] : memref<4xi64>
        } {
          %a = memref.load %A[%v, %w] : memref<4x8xf32>
          %j = arith.index_cast %w : index to i64
          %m = memref.load %M[%v] : memref<4xf32>
          %i0 = memref.load %I[%v] : memref<4xi64>
          %gt = arith.cmpf ogt, %a, %m : f32
          %eq = arith.cmpf oeq, %a, %m : f32
          %lt = arith.cmpi slt, %j, %i0 : i64
          %tie = arith.andi %eq, %lt : i1
          %c = arith.ori %gt, %tie : i1
          %x = arith.select %c, %a, %m : f32
          %y = arith.select %c, %j, %i0 : i64
          memref.store %x, %M[%v] : memref<4xf32>
          memref.store %y, %I[%v] : memref<4xi64>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "best" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    transform.nest.decompose_reduction %b at %i
    transform.nest.reorder %k, %i
    transform.yield
  }
}
