// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// What a predicate guards is a conditional that yields the register buffer's
// elements; the others pass by. The buffer lives in the loop over rows, which
// carries nothing.
//
// CHECK: llvm.func hidden @rows(
// CHECK-NOT: llvm.alloca
// CHECK: scf.for %{{.*}} = %{{.*}} to %{{.*}} step %{{[a-z0-9_]+}} {
// CHECK: %[[LOOP:.*]]:2 = scf.for {{.*}} iter_args(%[[S:.*]] = %{{.*}}, %[[P:.*]] = %{{.*}}) -> (f32, f32)
// CHECK: %[[IF:.*]]:2 = scf.if %{{.*}} -> (f32, f32) {
// CHECK: scf.if %{{.*}} -> (f32) {
// CHECK: } else {
// CHECK-NEXT: scf.yield %[[S]]
// CHECK: arith.addf
// CHECK: arith.mulf
// CHECK: scf.yield %{{.*}}, %{{.*}} : f32, f32
// CHECK-NEXT: } else {
// CHECK-NEXT: scf.yield %[[S]], %[[P]] : f32, f32
// CHECK: scf.yield %[[IF]]#0, %[[IF]]#1
// CHECK: arith.addf %[[LOOP]]#0, %[[LOOP]]#1
nest.func @rows(%A: memref<16x30xf32>, %B: memref<16xf32>) {
  nest.for %i = 0 to 16 {
    %T = nest.alloc : memref<2xf32, "register">
    nest.block "one" () {
      %o = arith.constant 1.0 : f32
      %c1 = arith.constant 1 : index
      memref.store %o, %T[%c1] : memref<2xf32, "register">
    }
    nest.for %k = 0 to 32 {
      nest.block "T" (%vi : spatial = %i to 16, %vk : reduce = %k to 32) where (-%k + 29 >= 0) init {
        %c0 = arith.constant 0 : index
        %z = arith.constant 0.0 : f32
        memref.store %z, %T[%c0] : memref<2xf32, "register">
      } {
        %c0 = arith.constant 0 : index
        %c1 = arith.constant 1 : index
        %a = memref.load %A[%vi, %vk] : memref<16x30xf32>
        %s = memref.load %T[%c0] : memref<2xf32, "register">
        %p = memref.load %T[%c1] : memref<2xf32, "register">
        %s1 = arith.addf %s, %a : f32
        %p1 = arith.mulf %p, %a : f32
        memref.store %s1, %T[%c0] : memref<2xf32, "register">
        memref.store %p1, %T[%c1] : memref<2xf32, "register">
      }
    }
    nest.block "B" (%vi : spatial = %i to 16) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %s = memref.load %T[%c0] : memref<2xf32, "register">
      %p = memref.load %T[%c1] : memref<2xf32, "register">
      %r = arith.addf %s, %p : f32
      memref.store %r, %B[%vi] : memref<16xf32>
    }
  }
}
