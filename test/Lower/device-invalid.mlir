// RUN: nestor-opt %s --lower-device --verify-diagnostics
// RUN: not nestor-opt %s --lower-device=target=pdp11 2>&1 | FileCheck %s

// CHECK: unknown target 'pdp11'

// Tiles are values of one function of machine code.
func.func @tiles() {
  // expected-error @+1 {{'device.tile_zero' op is outside of an llvm.func}}
  %c = device.tile_zero : !device.tile<16x16xi32>
  return
}
