// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: %[[R:.*]] = nest.alloc : memref<8x16xf32>
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[KO:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[KI:.*]] = 0 to 16 {
// CHECK-NEXT: nest.block "S_rf" (%{{.*}} : spatial = %[[I]] to 8, %[[L:.*]] : spatial = %[[KI]] to 16, %{{.*}} : reduce = %[[KO]] to 4) init {
// CHECK: %[[Z:.*]] = arith.constant 0.0
// CHECK: memref.store %[[Z]], %[[R]]
// CHECK: nest.for %[[L2:.*]] = 0 to 16 {
// CHECK: nest.block "S" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : reduce = %[[L2]] to 16) init {
// CHECK: arith.constant 1.0
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
    %ko, %ki = transform.nest.split %k by [-1, 16] : 2
    %r = transform.nest.rfactor %ki axis 1
    transform.yield
  }
}

// -----

// The loop inside keeps its range.
// CHECK-LABEL: nest.func @f
// CHECK: nest.block "S_rf"
// CHECK: nest.for %[[I:.*]] = -1 to 7 {
// CHECK: nest.for %[[K:.*]] = 0 to 6 {
// CHECK: nest.block "S" (%{{.*}} : spatial = %[[I]] + 1 to 8, %{{.*}} : reduce = %[[K]] to 6)
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %S: memref<8xf32>) {
    nest.for %k = 0 to 6 {
      nest.for %i = -1 to 7 {
        nest.block "S" (%v : spatial = %i + 1 to 8, %vk : reduce = %k to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %s : 2
    %r = transform.nest.rfactor %k axis 0
    transform.yield
  }
}
