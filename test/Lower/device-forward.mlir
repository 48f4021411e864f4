// Tiles that one instruction stores for the next one to load need no memory.
// RUN: nestor-opt %s --canonicalize --cse --lower-device=target=sapphirerapids | FileCheck %s

// A fill with zeros that tiles overwrite: every accumulator has a zero of its
// own, and nothing is stored before the products.
// CHECK-LABEL: llvm.func @from_zero
// CHECK-NOT: llvm.store
// CHECK: %[[Z0:.*]] = llvm.call_intrinsic "llvm.x86.tilezero.internal"
// CHECK: %[[Z1:.*]] = llvm.call_intrinsic "llvm.x86.tilezero.internal"
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[Z0]], {{.*}} = %[[Z1]])
// CHECK-COUNT-2: tilestored64.internal
// CHECK: llvm.load
llvm.func @from_zero(%p: !llvm.ptr, %n: i64) -> vector<16xi32> {
  %count = llvm.mlir.constant(1 : i64) : i64
  %slot = llvm.alloca %count x !llvm.array<512 x i32> {alignment = 64 : i64} : (i64) -> !llvm.ptr
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0> : vector<16xi32>
  scf.for %i = %c0 to %c32 step %c1 {
    %c16 = arith.constant 16 : index
    %at = arith.muli %i, %c16 : index
    %to = arith.index_cast %at : index to i64
    %row = llvm.getelementptr %slot[%to] : (!llvm.ptr, i64) -> !llvm.ptr, i32
    llvm.store %zeros, %row : vector<16xi32>, !llvm.ptr
  }
  %stride = arith.constant 64 : i64
  %other = llvm.getelementptr %slot[256] : (!llvm.ptr) -> !llvm.ptr, i32
  %t0 = device.tile_load %slot, %stride : !device.tile<16x16xi32>
  %t1 = device.tile_load %other, %stride : !device.tile<16x16xi32>
  %k0 = arith.constant 0 : i64
  %k1 = arith.constant 1 : i64
  %r:2 = scf.for %k = %k0 to %n step %k1 iter_args(%u0 = %t0, %u1 = %t1) -> (!device.tile<16x16xi32>, !device.tile<16x16xi32>) : i64 {
    %a = device.tile_load %p, %stride : !device.tile<16x64xi8>
    %b = device.tile_load %p, %stride : !device.tile<16x64xi8>
    %d0 = device.tile_dot tdpbusd %u0, %a, %b : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
    %d1 = device.tile_dot tdpbusd %u1, %b, %a : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
    scf.yield %d0, %d1 : !device.tile<16x16xi32>, !device.tile<16x16xi32>
  }
  device.tile_store %r#0, %slot, %stride : !device.tile<16x16xi32>
  device.tile_store %r#1, %other, %stride : !device.tile<16x16xi32>
  %x = llvm.load %slot : !llvm.ptr -> vector<16xi32>
  llvm.return %x : vector<16xi32>
}

// Half of what was filled is read by others: the fill stays, and so does the
// zero of the tile.
// CHECK-LABEL: llvm.func @fill_is_read
// CHECK: llvm.store
// CHECK: tilezero.internal
// CHECK: tilestored64.internal
// CHECK: llvm.load
llvm.func @fill_is_read(%p: !llvm.ptr) -> vector<16xi32> {
  %count = llvm.mlir.constant(1 : i64) : i64
  %slot = llvm.alloca %count x !llvm.array<512 x i32> {alignment = 64 : i64} : (i64) -> !llvm.ptr
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %zeros = arith.constant dense<0> : vector<16xi32>
  scf.for %i = %c0 to %c32 step %c1 {
    %c16 = arith.constant 16 : index
    %at = arith.muli %i, %c16 : index
    %to = arith.index_cast %at : index to i64
    %row = llvm.getelementptr %slot[%to] : (!llvm.ptr, i64) -> !llvm.ptr, i32
    llvm.store %zeros, %row : vector<16xi32>, !llvm.ptr
  }
  %stride = arith.constant 64 : i64
  %t0 = device.tile_load %slot, %stride : !device.tile<16x16xi32>
  %a = device.tile_load %p, %stride : !device.tile<16x64xi8>
  %d0 = device.tile_dot tdpbusd %t0, %a, %a : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  device.tile_store %d0, %slot, %stride : !device.tile<16x16xi32>
  %other = llvm.getelementptr %slot[256] : (!llvm.ptr) -> !llvm.ptr, i32
  %x = llvm.load %other : !llvm.ptr -> vector<16xi32>
  llvm.return %x : vector<16xi32>
}

// Two products of one accumulator: one store.
// CHECK-LABEL: llvm.func @chain
// CHECK: %[[A:.*]] = llvm.call_intrinsic "llvm.x86.tdpbusd.internal"
// CHECK-NOT: tilestored
// CHECK: %[[B:.*]] = llvm.call_intrinsic "llvm.x86.tdpbusd.internal"(%{{.*}}, %{{.*}}, %{{.*}}, %[[A]],
// CHECK: llvm.call_intrinsic "llvm.x86.tilestored64.internal"(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[B]])
// CHECK-NOT: tilestored
llvm.func @chain(%p: !llvm.ptr) -> vector<16xi32> {
  %count = llvm.mlir.constant(1 : i64) : i64
  %slot = llvm.alloca %count x !llvm.array<256 x i32> {alignment = 64 : i64} : (i64) -> !llvm.ptr
  %stride = arith.constant 64 : i64
  %t0 = device.tile_load %slot, %stride : !device.tile<16x16xi32>
  %a = device.tile_load %p, %stride : !device.tile<16x64xi8>
  %d0 = device.tile_dot tdpbusd %t0, %a, %a : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  device.tile_store %d0, %slot, %stride : !device.tile<16x16xi32>
  %t1 = device.tile_load %slot, %stride : !device.tile<16x16xi32>
  %d1 = device.tile_dot tdpbusd %t1, %a, %a : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  device.tile_store %d1, %slot, %stride : !device.tile<16x16xi32>
  %x = llvm.load %slot : !llvm.ptr -> vector<16xi32>
  llvm.return %x : vector<16xi32>
}

// Windows that overlap are no handing over.
// CHECK-LABEL: llvm.func @overlap
// CHECK: tilestored64.internal
// CHECK: tileloadd64.internal
llvm.func @overlap(%p: !llvm.ptr) {
  %count = llvm.mlir.constant(1 : i64) : i64
  %slot = llvm.alloca %count x !llvm.array<512 x i32> {alignment = 64 : i64} : (i64) -> !llvm.ptr
  %stride = arith.constant 64 : i64
  %a = device.tile_load %p, %stride : !device.tile<16x16xi32>
  device.tile_store %a, %slot, %stride : !device.tile<16x16xi32>
  %other = llvm.getelementptr %slot[128] : (!llvm.ptr) -> !llvm.ptr, i32
  %b = device.tile_load %other, %stride : !device.tile<16x16xi32>
  device.tile_store %b, %p, %stride : !device.tile<16x16xi32>
  llvm.return
}
