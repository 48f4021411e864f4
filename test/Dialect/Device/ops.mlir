// RUN: nestor-opt %s | nestor-opt | FileCheck %s
// RUN: nestor-opt %s --mlir-print-op-generic | nestor-opt | FileCheck %s

// CHECK-LABEL: llvm.func @dots
llvm.func @dots(%acc: vector<16xi32>, %f: vector<4xf32>, %a: vector<64xi8>,
                %b: vector<8xbf16>) {
  // CHECK: device.dot vpdpbusd %{{.*}}, %{{.*}}, %{{.*}} : vector<16xi32>, vector<64xi8>
  %0 = device.dot vpdpbusd %acc, %a, %a : vector<16xi32>, vector<64xi8>
  // CHECK: device.dot bfmmla %{{.*}} : vector<4xf32>, vector<8xbf16>
  %1 = device.dot bfmmla %f, %b, %b : vector<4xf32>, vector<8xbf16>
  llvm.return
}

// CHECK-LABEL: llvm.func @halves
llvm.func @halves(%a: vector<32xf16>) {
  // CHECK: device.fma %{{.*}}, %{{.*}}, %{{.*}} : vector<32xf16>
  %0 = device.fma %a, %a, %a : vector<32xf16>
  llvm.return
}

// CHECK-LABEL: llvm.func @tiles
llvm.func @tiles(%p: !llvm.ptr, %stride: i64) {
  // CHECK: device.tile_zero : !device.tile<16x16xi32>
  %c = device.tile_zero : !device.tile<16x16xi32>
  // CHECK: device.tile_load %{{.*}}, %{{.*}} : !device.tile<16x64xi8>
  %a = device.tile_load %p, %stride : !device.tile<16x64xi8>
  // CHECK: device.tile_load %{{.*}}, %{{.*}} streaming : !device.tile<16x64xi8>
  %b = device.tile_load %p, %stride streaming : !device.tile<16x64xi8>
  // CHECK: device.tile_dot tdpbusd %{{.*}} : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  %d = device.tile_dot tdpbusd %c, %a, %b : !device.tile<16x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  // CHECK: device.tile_store %{{.*}}, %{{.*}}, %{{.*}} : !device.tile<16x16xi32>
  device.tile_store %d, %p, %stride : !device.tile<16x16xi32>
  llvm.return
}
