// RUN: nestor-opt %s --lower-to-loops | FileCheck %s

// A failed kernel leaves the program at once at the top level; inside of a loop
// it keeps the rest of the iterations from touching memory, and the program is
// left behind the loop. Room for the outputs' dims is taken once, at the entry.

// CHECK-LABEL: llvm.func hidden @nst_run
// CHECK: %[[STATUS:.*]] = llvm.alloca {{.*}} x i32
// CHECK: llvm.alloca {{.*}} x i64
// CHECK-NOT: llvm.alloca
// CHECK: llvm.call @k(
// CHECK-NEXT: llvm.store {{.*}}, %[[STATUS]]
// CHECK: %[[NOW:.*]] = llvm.load %[[STATUS]]
// CHECK: %[[FINE:.*]] = arith.cmpi eq, %[[NOW]]
// CHECK: cf.cond_br %[[FINE]], ^[[NEXT:.*]], ^[[EXIT:bb[0-9]+]]
// CHECK: scf.for
// CHECK-NOT: cf.cond_br
// CHECK: scf.if
// CHECK-NEXT: llvm.call @k(
// CHECK: cf.cond_br {{.*}}, ^{{bb[0-9]+}}, ^[[EXIT]]
// CHECK: cf.br ^[[EXIT]]
// CHECK: ^[[EXIT]]:
// CHECK-NEXT: %[[RESULT:.*]] = llvm.load %[[STATUS]]
// CHECK-NEXT: llvm.return %[[RESULT]]
func.func @main(%x: memref<4xf32> {model.name = "x", model.dims = [4], model.dtype = "float32"}, %n: memref<i64> {model.name = "n", model.dims = [], model.dtype = "int64"})
    -> (memref<4xf32> {model.name = "y", model.dims = [4], model.dtype = "float32"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %count = memref.load %n[] : memref<i64>
  %end = arith.index_cast %count : i64 to index
  %y = host.output 0 : memref<4xf32>
  host.launch @k(%x, %y) writes 1 : memref<4xf32>, memref<4xf32>
  scf.for %i = %c0 to %end step %c1 {
    host.launch @k(%x, %y) writes 1 : memref<4xf32>, memref<4xf32>
  }
  return %y : memref<4xf32>
}
nest.func @k(%x: memref<4xf32>, %y: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.block "copy" (%v : spatial = %i to 4) {
      %a = memref.load %x[%v] : memref<4xf32>
      memref.store %a, %y[%v] : memref<4xf32>
    }
  }
}
