// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A reduction over lanes: one sum of the lanes, then one step of the scalar.
//
// CHECK: %[[A:.*]] = llvm.load %{{.*}} -> vector<32xf32>
// CHECK: %[[S:.*]] = llvm.load %{{.*}} -> f32
// CHECK: %[[SUM:.*]] = vector.reduction <add>, %[[A]] fastmath<reassoc,contract>
// CHECK: %[[R:.*]] = arith.addf %[[S]], %[[SUM]]
// CHECK: llvm.store %[[R]], %{{.*}} : f32
nest.func @sum(%A: memref<32xf32>, %S: memref<1xf32>) {
  nest.for %l = 0 to 32 vectorize {
    nest.block "S" (%v : reduce = %l to 32) init {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      memref.store %z, %S[%c0] : memref<1xf32>
    } {
      %c0 = arith.constant 0 : index
      %a = memref.load %A[%v] : memref<32xf32>
      %s = memref.load %S[%c0] : memref<1xf32>
      %r = arith.addf %s, %a : f32
      memref.store %r, %S[%c0] : memref<1xf32>
    }
  }
}
