// Without a target, and where it lacks the instruction, plain code.
// RUN: nestor-opt %s --lower-device | FileCheck %s
// RUN: nestor-opt %s --lower-device=target=x86-64-v4 | FileCheck %s
// RUN: nestor-opt %s --lower-to-llvm | FileCheck %s --check-prefix=LLVM

// LLVM-NOT: device.

// CHECK-LABEL: llvm.func @bytes
// CHECK-NOT: call_intrinsic
// CHECK-NOT: device.
// CHECK-COUNT-4: arith.muli
llvm.func @bytes(%acc: vector<16xi32>, %a: vector<64xi8>) -> vector<16xi32> {
  %0 = device.dot vpdpbusd %acc, %a, %a : vector<16xi32>, vector<64xi8>
  llvm.return %0 : vector<16xi32>
}

// A matrix product is two dot products of shuffled words.
// CHECK-LABEL: llvm.func @matrices
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 0, 2, 2]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 2, 0, 2]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [1, 1, 3, 3]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [1, 3, 1, 3]
llvm.func @matrices(%acc: vector<4xi32>, %a: vector<16xi8>) -> vector<4xi32> {
  %0 = device.dot smmla %acc, %a, %a : vector<4xi32>, vector<16xi8>
  llvm.return %0 : vector<4xi32>
}

// The product of tiles runs over the stack, in loops.
// CHECK-LABEL: llvm.func @tiles
// CHECK: llvm.alloca
// CHECK: scf.for
// CHECK: scf.for
// CHECK: arith.muli
llvm.func @tiles(%p: !llvm.ptr, %stride: i64) {
  %c = device.tile_zero : !device.tile<2x4xi32>
  %a = device.tile_load %p, %stride : !device.tile<2x8xi8>
  %b = device.tile_load %p, %stride : !device.tile<2x16xi8>
  %d = device.tile_dot tdpbssd %c, %a, %b : !device.tile<2x4xi32>, !device.tile<2x8xi8>, !device.tile<2x16xi8>
  device.tile_store %d, %p, %stride : !device.tile<2x4xi32>
  llvm.return
}
