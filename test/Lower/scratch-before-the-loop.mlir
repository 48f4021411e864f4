// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A buffer of a size from the kernel's arguments is made once, before the loop
// that holds it.
//
// CHECK: llvm.call
// CHECK: scf.for
// CHECK-NOT: llvm.call
// CHECK: llvm.return
nest.func @rows(%A: memref<4x?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (4, s0)>]} {
  nest.for %i = 0 to 4 {
    %row = nest.alloc [symbol(%n)] : memref<?xf32>
    nest.for %j = 0 to symbol(%n) {
      nest.block "row" (%vi : spatial = %i to 4, %vj : spatial = %j to symbol(%n)) {
        %a = memref.load %A[%vi, %vj] : memref<4x?xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %row[%vj] : memref<?xf32>
      }
    }
    nest.for %j = 0 to symbol(%n) {
      nest.block "A" (%vi : spatial = %i to 4, %vj : spatial = %j to symbol(%n)) {
        %a = memref.load %row[%vj] : memref<?xf32>
        memref.store %a, %A[%vi, %vj] : memref<4x?xf32>
      }
    }
  }
}
