// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A nest that nobody scheduled: its loops over bare pointers. The addend of the
// outer loop stands alone, so that it can move out of the inner one.
//
// CHECK: llvm.func hidden @scale(%[[CALL:.*]]: !llvm.ptr, %[[A:.*]]: !llvm.ptr {llvm.noalias}, %[[B:.*]]: !llvm.ptr {llvm.noalias}) -> i32
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step
// CHECK: scf.for %[[J:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[ROW:.*]] = arith.muli %[[I]], %c8
// CHECK: %[[ROW64:.*]] = arith.index_cast %[[ROW]]
// CHECK: %[[P:.*]] = llvm.getelementptr inbounds %[[A]][%[[ROW64]]]
// CHECK: %[[J64:.*]] = arith.index_cast %[[J]]
// CHECK: %[[Q:.*]] = llvm.getelementptr inbounds %[[P]][%[[J64]]]
// CHECK: llvm.load %[[Q]] {{.*}} -> f32
// CHECK: arith.addf
// CHECK: llvm.store
// CHECK: %[[OK:.*]] = arith.constant 0 : i32
// CHECK: llvm.return %[[OK]] : i32
nest.func @scale(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 8 {
      nest.block "B" (%vi : spatial = %i to 4, %vj : spatial = %j to 8) {
        %a = memref.load %A[%vi, %vj] : memref<4x8xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %B[%vi, %vj] : memref<4x8xf32>
      }
    }
  }
}
