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
