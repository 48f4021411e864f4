// Device operations as instructions, where the target has them.
// RUN: nestor-opt %s --lower-device=target=sapphirerapids | FileCheck %s --check-prefix=X86
// RUN: nestor-opt %s --lower-device=target=armv8.6-a | FileCheck %s --check-prefix=ARM

// X86-LABEL: llvm.func @dots
// ARM-LABEL: llvm.func @dots
llvm.func @dots(%acc: vector<16xi32>, %a: vector<64xi8>, %b: vector<32xi16>,
                %acc4: vector<4xi32>, %c: vector<16xi8>) -> vector<16xi32> {
  // X86: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
  // ARM-NOT: llvm.x86
  %0 = device.dot vpdpbusd %acc, %a, %a : vector<16xi32>, vector<64xi8>
  // X86: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx512.pmaddw.d.512"
  // X86-NEXT: arith.addi %{{.*}}, %[[P]]
  %1 = device.dot vpmaddwd %0, %b, %b : vector<16xi32>, vector<32xi16>
  // ARM: llvm.call_intrinsic "llvm.aarch64.neon.smmla"
  // X86-NOT: aarch64
  %2 = device.dot smmla %acc4, %c, %c : vector<4xi32>, vector<16xi8>
  llvm.return %1 : vector<16xi32>
}

// X86-LABEL: llvm.func @halves
llvm.func @halves(%a: vector<32xf16>) -> vector<32xf16> {
  // X86: llvm.intr.fma
  %0 = device.fma %a, %a, %a : vector<32xf16>
  llvm.return %0 : vector<32xf16>
}

// Tiles are carried through the loop as values.
// X86-LABEL: llvm.func @tiles
// X86: %[[Z:.*]] = llvm.call_intrinsic "llvm.x86.tilezero.internal"
// X86: %[[R:.*]] = scf.for {{.*}} iter_args(%[[C:.*]] = %[[Z]]) -> (!llvm.x86_amx)
// X86: %[[A:.*]] = llvm.call_intrinsic "llvm.x86.tileloadd64.internal"
// X86: %[[B:.*]] = llvm.call_intrinsic "llvm.x86.tileloaddt164.internal"
// X86: llvm.call_intrinsic "llvm.x86.tdpbusd.internal"(%{{.*}}, %{{.*}}, %{{.*}}, %[[C]], %[[A]], %[[B]])
// X86: llvm.call_intrinsic "llvm.x86.tilestored64.internal"(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[R]])
// ARM-LABEL: llvm.func @tiles
// ARM: scf.for {{.*}} -> (!llvm.array<16 x vector<16xi32>>)
llvm.func @tiles(%p: !llvm.ptr, %stride: i64, %n: i64) {
  %0 = llvm.mlir.constant(0 : i64) : i64
  %1 = llvm.mlir.constant(1 : i64) : i64
  %c = device.tile_zero : !device.tile<16x16xi32>
  %r = scf.for %i = %0 to %n step %1 iter_args(%acc = %c) -> (!device.tile<16x16xi32>) : i64 {
    %a = device.tile_load %p, %stride : !device.tile<16x64xi8>
    %b = device.tile_load %p, %stride streaming : !device.tile<16x64xi8>
    %d = device.tile_dot tdpbusd %acc, %a, %b : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
    scf.yield %d : !device.tile<16x16xi32>
  }
  device.tile_store %r, %p, %stride : !device.tile<16x16xi32>
  llvm.return
}
