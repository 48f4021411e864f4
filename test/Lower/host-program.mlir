// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// The host function: dims from the caller's inputs, a check that ends the run
// with status 8, an output asked for, a launch whose status ends the run too.
//
// CHECK: llvm.mlir.global external constant @nst_model()
// CHECK: llvm.func hidden @copy(
// CHECK: llvm.func hidden @nst_run(%[[CALL:.*]]: !llvm.ptr) -> i32
// CHECK: %[[STATUS:.*]] = llvm.alloca %{{.*}} x i32
// CHECK: %[[FEW:.*]] = arith.cmpi ult
// CHECK: %[[MANY:.*]] = arith.xori %[[FEW]]
// CHECK: scf.if %[[MANY]] {
// CHECK: %[[CODE:.*]] = arith.constant 8 : i32
// CHECK: llvm.store %[[CODE]], %[[STATUS]]
// CHECK: cf.cond_br %{{.*}}, ^[[ON:bb[0-9]+]], ^[[EXIT:bb[0-9]+]]
// CHECK: ^[[ON]]:
// CHECK: %[[Y:.*]] = llvm.call %{{.*}} -> !llvm.ptr
// CHECK: %[[DONE:.*]] = llvm.call @copy(%[[CALL]], %{{.*}}, %[[Y]], %{{.*}}) {{.*}} -> i32
// CHECK-NEXT: llvm.store %[[DONE]], %[[STATUS]]
// CHECK: ^[[EXIT]]:
// CHECK-NEXT: %[[LAST:.*]] = llvm.load %[[STATUS]]
// CHECK-NEXT: llvm.return %[[LAST]]
nest.func @copy(%A: memref<?x4xf32>, %B: memref<?x4xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0, 4)>, affine_map<()[s0] -> (s0, 4)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to 4 {
      nest.block "B" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 4) {
        %a = memref.load %A[%vi, %vj] : memref<?x4xf32>
        memref.store %a, %B[%vi, %vj] : memref<?x4xf32>
      }
    }
  }
}
func.func @main(%x: memref<?x4xf32> {model.name = "x", model.dims = ["n", 4]}) -> (memref<?x4xf32> {model.name = "y", model.dims = ["n", 4]}) {
  %c0 = arith.constant 0 : index
  %c9 = arith.constant 9 : index
  %n = memref.dim %x, %c0 : memref<?x4xf32>
  %few = arith.cmpi ult, %n, %c9 : index
  host.check %few, "too many rows"
  %y = host.output 0 [%n] : memref<?x4xf32>
  host.launch @copy (%x, %y) sizes(%n) writes 1 : memref<?x4xf32>, memref<?x4xf32>
  return %y : memref<?x4xf32>
}
