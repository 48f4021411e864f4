// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Unrolled iterations are copies at constant offsets, those of a vectorize loop
// are lanes: no loop is left.
//
// CHECK: llvm.func hidden @scale(%{{.*}}: !llvm.ptr, %[[A:.*]]: !llvm.ptr {llvm.noalias}, %[[B:.*]]: !llvm.ptr {llvm.noalias})
// CHECK-NOT: scf.for
// CHECK: %[[A0:.*]] = llvm.load %[[A]] {alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
// CHECK-NEXT: %[[S0:.*]] = arith.addf %[[A0]], %[[A0]] fastmath<contract> : vector<8xf32>
// CHECK-NEXT: llvm.store %[[S0]], %[[B]]
// CHECK-NEXT: llvm.getelementptr inbounds %[[A]][8]
// CHECK: llvm.getelementptr inbounds %[[A]][16]
// CHECK: llvm.getelementptr inbounds %[[A]][24]
// CHECK-NOT: llvm.getelementptr inbounds %[[A]]
// CHECK: llvm.return
nest.func @scale(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
  nest.for %i = 0 to 4 unroll {
    nest.for %j = 0 to 8 vectorize {
      nest.block "B" (%vi : spatial = %i to 4, %vj : spatial = %j to 8) {
        %a = memref.load %A[%vi, %vj] : memref<4x8xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %B[%vi, %vj] : memref<4x8xf32>
      }
    }
  }
}
