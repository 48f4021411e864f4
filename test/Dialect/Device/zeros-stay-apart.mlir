// Accumulators that share one tile of zeros would be copied through memory.
// RUN: nestor-opt %s --cse --canonicalize | FileCheck %s

// CHECK-LABEL: llvm.func @two
// CHECK-COUNT-2: device.tile_zero
llvm.func @two(%p: !llvm.ptr, %stride: i64) {
  %a = device.tile_zero : !device.tile<4x4xi32>
  %b = device.tile_zero : !device.tile<4x4xi32>
  device.tile_store %a, %p, %stride : !device.tile<4x4xi32>
  device.tile_store %b, %p, %stride : !device.tile<4x4xi32>
  llvm.return
}
