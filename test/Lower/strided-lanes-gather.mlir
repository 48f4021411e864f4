// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Lanes that walk down a column gather.
//
// CHECK: %[[P:.*]] = llvm.getelementptr %{{.*}} -> vector<8x!llvm.ptr>
// CHECK: llvm.intr.masked.gather %[[P]], %{{.*}} -> vector<8xf32>
// CHECK: llvm.store %{{.*}} : vector<8xf32>
nest.func @strided(%A: memref<8x8xf32>, %B: memref<8xf32>) {
  nest.for %l = 0 to 8 vectorize {
    nest.block "B" (%v : spatial = %l to 8) {
      %c1 = arith.constant 1 : index
      %a = memref.load %A[%v, %c1] : memref<8x8xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
  }
}
