// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// CHECK: %[[BYTE:.*]] = llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr -> i8
// CHECK: %[[BIT:.*]] = arith.trunci %[[BYTE]] : i8 to i1
// CHECK: %[[NOT:.*]] = arith.xori %[[BIT]]
// CHECK: %[[OUT:.*]] = arith.extui %[[NOT]] : i1 to i8
// CHECK: llvm.store %[[OUT]], %{{.*}} {alignment = 1 : i64} : i8
nest.func @not(%A: memref<3xi1>, %B: memref<3xi1>) {
  nest.for %i = 0 to 3 {
    nest.block "B" (%v : spatial = %i to 3) {
      %true = arith.constant true
      %a = memref.load %A[%v] : memref<3xi1>
      %b = arith.xori %a, %true : i1
      memref.store %b, %B[%v] : memref<3xi1>
    }
  }
}
