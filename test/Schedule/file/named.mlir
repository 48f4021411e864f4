// RUN: nestor-opt %s --schedule=%S/Inputs/named.mlir | FileCheck %s
// RUN: not nestor-opt %s --schedule=%S/Inputs/tile.mlir 2>&1 | FileCheck %s --check-prefix=MANY

// Each kernel runs the sequence with its name.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 8 unroll {
// CHECK-LABEL: nest.func @g
// CHECK: nest.for %{{.*}} = 0 to 8 vectorize {
// MANY: error: there are 2 kernels; name each sequence as the kernel it is for
nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "B" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
  }
}
nest.func @g(%A: memref<8xf32>, %B: memref<8xf32>) {
  nest.for %i = 0 to 8 {
    nest.block "B" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
  }
}
