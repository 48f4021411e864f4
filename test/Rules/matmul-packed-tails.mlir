// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s
// No step is refused: no later rule looks at the rests again.
// RUN: nestor-opt "--schedule-default=target=x86-64-v3 refusals" --verify-diagnostics %s -o /dev/null

// A matmul by a constant: the constant packed in panels of one tile's columns, a
// tile of 4 x 3 vectors in registers, code of their own for the rest of the
// columns and the rest of the rows.
//
// CHECK: nest.func @matmul(
// CHECK-SAME: memref<3x64x24xf32> {nest.constant}
// CHECK-SAME: relayouts = [{arg = 1 : i64, kernel = @pack_matmul_1}]
//
// Full tiles test nothing.
// CHECK: nest.for %[[M:.*]] = 0 to 7 {
// CHECK-NEXT: nest.for %[[N:.*]] = 0 to 2 {
// CHECK-NEXT: %[[TILE:.*]] = nest.alloc : memref<4x24xf32, "register">
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 3 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "C_init"
// CHECK-NOT: where
// CHECK: nest.for %[[K:.*]] = 0 to 64 {
// CHECK-NEXT: nest.for %[[R:.*]] = 0 to 4 unroll {
// CHECK-NEXT: nest.for %[[V:.*]] = 0 to 3 unroll {
// CHECK-NEXT: nest.for %[[L:.*]] = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "C" (%{{.*}} : spatial = %[[M]] * 4 + %[[R]] to 31, %{{.*}} : spatial = %[[N]] to 3, %{{.*}} : spatial = %[[V]] * 8 + %[[L]] to 24, %{{.*}} : reduce = %[[K]] to 64
// CHECK-NOT: where
// CHECK: memref.store %{{.*}}, %[[TILE]]
// CHECK: nest.block "C_write"
// CHECK-NOT: where
// CHECK: memref.load %[[TILE]]
// CHECK-NEXT: memref.store %{{.*}} : memref<31x60xf32>
//
// The rest of the columns, then that of the rows.
// CHECK: nest.for %{{.*}} = 2 to 3 {
// CHECK: nest.block "C_tail_1"{{.*}} where (
// CHECK: nest.for %{{.*}} = 7 to 8 {
// CHECK: nest.block "C_tail"{{.*}} where (
//
// The packing kernel pads the last panel.
// CHECK: nest.func @pack_matmul_1(%{{.*}}: memref<64x60xf32>, %{{.*}}: memref<3x64x24xf32>)
// CHECK: nest.block "pad"
// CHECK: nest.block "pack"{{.*}} where (
nest.func @matmul(%A: memref<31x64xf32>, %B: memref<64x60xf32> {nest.constant}, %C: memref<31x60xf32>) {
  nest.for %i = 0 to 31 {
    nest.for %j = 0 to 60 {
      nest.for %k = 0 to 64 {
        nest.block "C" (%vi : spatial = %i to 31, %vj : spatial = %j to 60, %vk : reduce = %k to 64) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<31x60xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<31x64xf32>
          %b = memref.load %B[%vk, %vj] : memref<64x60xf32>
          %c = memref.load %C[%vi, %vj] : memref<31x60xf32>
          %m = arith.mulf %a, %b : f32
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vi, %vj] : memref<31x60xf32>
        }
      }
    }
  }
}
