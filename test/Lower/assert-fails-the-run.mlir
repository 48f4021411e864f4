// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A failed assertion tells the run why and becomes the status of the body, of
// parallel_for, of the kernel; the first failure is the one that stays.
//
// CHECK: llvm.mlir.global internal constant @[[TEXT:str_.*]]("Gather: index out of range\00")
// CHECK: llvm.func hidden @gather(
// CHECK: %[[STATUS:.*]] = llvm.alloca %{{.*}} x !llvm.array<1 x i32>
// CHECK: %[[RESULT:.*]] = llvm.call %{{.*}} -> i32
// CHECK: %[[FAILED:.*]] = arith.cmpi ne, %[[RESULT]]
// CHECK-NEXT: scf.if %[[FAILED]] {
// CHECK: %[[OLD:.*]] = llvm.load %[[STATUS]]
// CHECK-NEXT: %[[NONE:.*]] = arith.cmpi eq, %[[OLD]]
// CHECK-NEXT: %[[FIRST:.*]] = arith.select %[[NONE]], %[[RESULT]], %[[OLD]]
// CHECK-NEXT: llvm.store %[[FIRST]], %[[STATUS]]
// CHECK: %[[LAST:.*]] = llvm.load %[[STATUS]]
// CHECK: llvm.return %[[LAST]]
//
// CHECK: llvm.func hidden @gather_par0(
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult
// CHECK: %[[OUTSIDE:.*]] = arith.xori %[[INSIDE]]
// CHECK: scf.if %[[OUTSIDE]] {
// CHECK: %[[CODE:.*]] = arith.constant 8 : i32
// CHECK: %[[WHY:.*]] = llvm.mlir.addressof @[[TEXT]]
// CHECK: llvm.call %{{.*}}(%{{.*}}, %[[CODE]], %[[WHY]])
nest.func @gather(%A: memref<10xf32>, %I: memref<8xi64>, %B: memref<8xf32>) {
  nest.for %i = 0 to 8 parallel annotate {grain = 4 : i64} {
    nest.block "B" (%v : spatial = %i to 8) {
      %n = arith.constant 10 : i64
      %zero = arith.constant 0 : i64
      %k = memref.load %I[%v] : memref<8xi64>
      %inside = arith.cmpi ult, %k, %n : i64
      cf.assert %inside, "Gather: index out of range"
      %safe = arith.select %inside, %k, %zero : i64
      %at = arith.index_cast %safe : i64 to index
      %a = memref.load %A[%at] : memref<10xf32>
      memref.store %a, %B[%v] : memref<8xf32>
    }
  }
}
