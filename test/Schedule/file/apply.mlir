// RUN: nestor-opt %s --schedule=%S/Inputs/tile.mlir | FileCheck %s
// RUN: nestor-opt %s --apply-schedule=file=%S/Inputs/tile.mlir | FileCheck %s

// The schedule is made for 16 rows; its tile fits 12 as well.
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 3 {
nest.func @f(%A: memref<12x4xf32>, %B: memref<12x4xf32>) {
  nest.for %i = 0 to 12 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 12, %v : spatial = %j to 4) {
        %a = memref.load %A[%u, %v] : memref<12x4xf32>
        memref.store %a, %B[%u, %v] : memref<12x4xf32>
      }
    }
  }
}
