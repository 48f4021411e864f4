// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// The first lanes of a padded access stand before the buffer, the masked lanes of
// a rest behind it: a promise that pointers stay inside would be a lie.
//
// CHECK: llvm.func hidden @pad(%{{.*}}: !llvm.ptr, %[[A:.*]]: !llvm.ptr {llvm.noalias}, %[[B:.*]]: !llvm.ptr {llvm.noalias})
// CHECK-NOT: inbounds
// CHECK: %[[P:.*]] = llvm.getelementptr nusw %[[A]][
// CHECK-NEXT: %[[Q:.*]] = llvm.getelementptr nusw %[[P]][-3]
// CHECK: llvm.intr.masked.load %[[Q]]
// CHECK: llvm.getelementptr nusw %[[B]][
// CHECK-NOT: inbounds
nest.func @pad(%A: memref<8xf32>, %B: memref<16xf32>) {
  nest.for %o = 0 to 2 {
   nest.for %l = 0 to 8 vectorize {
    nest.block "B" (%v : spatial = %o * 8 + %l to 16) where (%o * 8 + %l - 3 >= 0, 10 - %o * 8 - %l >= 0) {
      %c3 = arith.constant 3 : index
      %i = arith.subi %v, %c3 : index
      %a = memref.load %A[%i] : memref<8xf32>
      memref.store %a, %B[%v] : memref<16xf32>
    }
   }
  }
}
