// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A size is an argument of the kernel: bound of the loop, and stride of the dims
// before it.
//
// CHECK: llvm.func hidden @columns(%{{.*}}: !llvm.ptr, %[[A:.*]]: !llvm.ptr {llvm.noalias}, %[[N:.*]]: i64)
// CHECK: %[[SIZE:.*]] = arith.index_cast %[[N]] : i64 to index
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %[[SIZE]] step
// CHECK: arith.muli %[[I]], %[[SIZE]]
nest.func @columns(%A: memref<4x?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (4, s0)>]} {
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to symbol(%n) {
      nest.block "A" (%vi : spatial = %i to 4, %vj : spatial = %j to symbol(%n)) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%vi, %vj] : memref<4x?xf32>
      }
    }
  }
}
