// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A small buffer of a fixed size lives on the stack; a large one, or one whose
// size is known at run time, is scratch memory of the run, and the kernel ends
// with status 7 where there is none.
//
// CHECK: llvm.func hidden @buffers(%[[CALL:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr {llvm.noalias}, %[[N:.*]]: i64)
// CHECK: %[[SMALL:.*]] = llvm.alloca %{{.*}} x !llvm.array<256 x f32> {alignment = 64 : i64}
// CHECK-NOT: llvm.alloca
// CHECK: %[[BIG:.*]] = llvm.call %{{.*}}(%[[CALL]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64) -> !llvm.ptr
// CHECK: llvm.icmp "eq" %[[BIG]]
// CHECK-NEXT: llvm.cond_br %{{.*}}, ^[[FAIL:bb[0-9]+]], ^bb
// CHECK: %[[SIZED:.*]] = llvm.call %{{.*}}(%[[CALL]], %{{.*}}) : !llvm.ptr, (!llvm.ptr, i64) -> !llvm.ptr
// CHECK: llvm.icmp "eq" %[[SIZED]]
// CHECK: scf.for
// CHECK: llvm.store %{{.*}}, %[[SMALL]]
// CHECK: llvm.store %{{.*}}, %[[BIG]]
// CHECK: ^[[FAIL]]:
// CHECK-NEXT: %[[BUDGET:.*]] = arith.constant 7 : i32
// CHECK-NEXT: llvm.return %[[BUDGET]]
nest.func @buffers(%A: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0)>]} {
  %small = nest.alloc : memref<16x16xf32>
  %big = nest.alloc : memref<512x512xf32>
  %sized = nest.alloc [symbol(%n)] : memref<?xf32>
  nest.for %i = 0 to symbol(%n) {
    nest.block "A" (%v : spatial = %i to symbol(%n)) {
      %c0 = arith.constant 0 : index
      %a = memref.load %A[%v] : memref<?xf32>
      memref.store %a, %small[%c0, %c0] : memref<16x16xf32>
      memref.store %a, %big[%c0, %c0] : memref<512x512xf32>
      memref.store %a, %sized[%v] : memref<?xf32>
    }
  }
}
