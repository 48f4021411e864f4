// RUN: nestor-opt %s --split-input-file --verify-diagnostics

func.func @f(%acc: vector<16xi32>, %a: vector<32xi16>) {
  // expected-error @+1 {{vpdpbusd adds products of 'i8' to 'i32'}}
  %0 = device.dot vpdpbusd %acc, %a, %a : vector<16xi32>, vector<32xi16>
  return
}

// -----

func.func @f(%acc: vector<8xi32>, %a: vector<64xi8>) {
  // expected-error @+1 {{operands differ in width: 256 and 512 bits}}
  %0 = device.dot vpdpbusd %acc, %a, %a : vector<8xi32>, vector<64xi8>
  return
}

// -----

func.func @f(%acc: vector<8xi32>, %a: vector<32xi8>) {
  // expected-error @+1 {{sdot has no form of 256 bits}}
  %0 = device.dot sdot %acc, %a, %a : vector<8xi32>, vector<32xi8>
  return
}

// -----

func.func @f(%acc: vector<2x2xi32>, %a: vector<2x8xi8>) {
  // expected-error @+1 {{takes vectors of one dim}}
  %0 = device.dot smmla %acc, %a, %a : vector<2x2xi32>, vector<2x8xi8>
  return
}

// -----

func.func @f() {
  // expected-error @+1 {{a tile has 1 to 16 rows, not 17}}
  %0 = device.tile_zero : !device.tile<17x16xi32>
  return
}

// -----

func.func @f() {
  // expected-error @+1 {{a row of a tile has 4 to 64 bytes, a multiple of 4, not 68}}
  %0 = device.tile_zero : !device.tile<16x17xi32>
  return
}

// -----

func.func @f() {
  // expected-error @+1 {{a tile holds i8, i32, bf16 or f32, not 'f64'}}
  %0 = device.tile_zero : !device.tile<8x8xf64>
  return
}

// -----

func.func @f() {
  // expected-error @+1 {{a tile has rows and columns}}
  %0 = device.tile_zero : !device.tile<8xi32>
  return
}

// -----

func.func @f(%c: !device.tile<16x16xf32>, %a: !device.tile<16x64xi8>) {
  // expected-error @+1 {{tdpbssd adds products of 'i8' to 'i32'}}
  %0 = device.tile_dot tdpbssd %c, %a, %a : !device.tile<16x16xf32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  return
}

// -----

func.func @f(%c: !device.tile<8x16xi32>, %a: !device.tile<16x64xi8>) {
  // expected-error @+1 {{lhs and acc differ in rows: 16 and 8}}
  %0 = device.tile_dot tdpbssd %c, %a, %a : !device.tile<8x16xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  return
}

// -----

func.func @f(%c: !device.tile<16x8xi32>, %a: !device.tile<16x64xi8>) {
  // expected-error @+1 {{rhs and acc differ in bytes of a row: 64 and 32}}
  %0 = device.tile_dot tdpbssd %c, %a, %a : !device.tile<16x8xi32>, !device.tile<16x64xi8>, !device.tile<16x64xi8>
  return
}

// -----

func.func @f(%c: !device.tile<16x16xi32>, %a: !device.tile<16x32xi8>, %b: !device.tile<16x64xi8>) {
  // expected-error @+1 {{rhs needs a row for each 4 bytes of a row of lhs: 16 and 8}}
  %0 = device.tile_dot tdpbssd %c, %a, %b : !device.tile<16x16xi32>, !device.tile<16x32xi8>, !device.tile<16x64xi8>
  return
}
