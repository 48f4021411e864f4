// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Nine steps in four parts: the last one has none and is its neutral element.
// CHECK-LABEL: nest.func @f
// CHECK: %[[R:.*]] = nest.alloc : memref<8x4xf32>
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[L:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "S_rf_init" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : spatial = %[[L]] to 4)
// CHECK: nest.for %[[P:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[Q:.*]] = 0 to 3 {
// CHECK-NEXT: nest.block "S_rf" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : spatial = %[[P]] to 4, %{{.*}} : reduce = %[[Q]] to 3) where
// CHECK-NOT: init
// CHECK: memref.store %{{.*}}, %[[R]]
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.block "S"
// CHECK: arith.constant 1.0
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x9xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 9 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 9) init {
          %z = arith.constant 1.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x9xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    %p = transform.nest.split_k %k into [4] axis -1
    transform.yield
  }
}

// -----

// Parts of an argmax keep their order, so that the first of equal values wins.
// CHECK-LABEL: nest.func @f
// CHECK-DAG: nest.alloc : memref<2x8xf32>
// CHECK-DAG: nest.alloc : memref<2x8xi32>
// CHECK: nest.block "S_rf"
// CHECK: nest.block "S"
// CHECK: %[[B:.*]] = arith.cmpf ogt
// CHECK: arith.select %[[B]]
// CHECK: arith.select %[[B]]
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x10xf32>, %S: memref<8xf32>, %I: memref<8xi32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 10 {
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k to 10) init {
          %z = arith.constant -1.0e+9 : f32
          %n = arith.constant -1 : i32
          memref.store %z, %S[%v] : memref<8xf32>
          memref.store %n, %I[%v] : memref<8xi32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x10xf32>
          %j = arith.index_cast %vk : index to i32
          %s = memref.load %S[%v] : memref<8xf32>
          %o = memref.load %I[%v] : memref<8xi32>
          %better = arith.cmpf ogt, %a, %s : f32
          %x = arith.select %better, %a, %s : f32
          %y = arith.select %better, %j, %o : i32
          memref.store %x, %S[%v] : memref<8xf32>
          memref.store %y, %I[%v] : memref<8xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %S = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %S : 2
    %p = transform.nest.split_k %k into [2] axis 0
    transform.yield
  }
}
