// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Sizes of a buffer inside a loop are found where it is made: before the loop.
//
// CHECK: llvm.func hidden @f(
// CHECK: arith.shrsi
// CHECK: llvm.call
// CHECK: scf.for
nest.func @f(%A: memref<?xf32>, %B: memref<?xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
  nest.for %i = 0 to symbol(%n) {
    %T = nest.alloc [2, symbol(%n) ceildiv 2] : memref<2x?xf32>
    nest.block "p" (%v : spatial = %i to symbol(%n)) {
      %c2 = arith.constant 2 : index
      %r = arith.remui %v, %c2 : index
      %q = arith.divui %v, %c2 : index
      %a = memref.load %A[%v] : memref<?xf32>
      memref.store %a, %T[%r, %q] : memref<2x?xf32>
    }
    nest.block "q" (%v : spatial = %i to symbol(%n)) {
      %c2 = arith.constant 2 : index
      %r = arith.remui %v, %c2 : index
      %q = arith.divui %v, %c2 : index
      %a = memref.load %T[%r, %q] : memref<2x?xf32>
      memref.store %a, %B[%v] : memref<?xf32>
    }
  }
}
