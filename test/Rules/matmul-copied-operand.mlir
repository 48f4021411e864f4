// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// An operand that is computed at run time and runs down its columns is copied
// into panels by the kernel itself.
//
// CHECK: nest.func @matmul(%[[A:.*]]: memref<32x64xf32>, %[[B:.*]]: memref<16x64xf32>, %{{.*}}: memref<32x16xf32>)
// CHECK-NOT: relayouts
// CHECK: %[[PANELS:.*]] = nest.alloc : memref<{{.*}}>
// CHECK: memref.load %[[B]]
// CHECK: memref.store %{{.*}}, %[[PANELS]]
// CHECK: nest.block "C" (
// CHECK-NOT: memref.load %[[B]]
// CHECK: memref.load %[[PANELS]]
nest.func @matmul(%A: memref<32x64xf32>, %B: memref<16x64xf32>, %C: memref<32x16xf32>) {
  nest.for %i = 0 to 32 {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 64 {
        nest.block "C" (%vi : spatial = %i to 32, %vj : spatial = %j to 16, %vk : reduce = %k to 64) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<32x16xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<32x64xf32>
          %b = memref.load %B[%vj, %vk] : memref<16x64xf32>
          %c = memref.load %C[%vi, %vj] : memref<32x16xf32>
          %m = arith.mulf %a, %b : f32
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vi, %vj] : memref<32x16xf32>
        }
      }
    }
  }
}
