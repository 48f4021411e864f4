// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Iterations of an ordered iterator are no lanes, whatever the loop asks for.
//
// CHECK: llvm.func hidden @scan
// CHECK-NOT: vector<
// CHECK: scf.for
// CHECK: llvm.load %{{.*}} -> f32
// CHECK: llvm.store %{{.*}} : f32
nest.func @scan(%A: memref<9xf32>) {
  nest.for %l = 0 to 8 vectorize {
    nest.block "A" (%v : ordered = %l to 8) {
      %c1 = arith.constant 1 : index
      %n = arith.addi %v, %c1 : index
      %a = memref.load %A[%v] : memref<9xf32>
      memref.store %a, %A[%n] : memref<9xf32>
    }
  }
}
