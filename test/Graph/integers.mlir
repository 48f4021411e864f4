// RUN: nestor-opt %s --split-input-file --nestor-compute-in-integers | FileCheck %s

#mn = affine_map<(d0, d1) -> (d0, d1)>
#n = affine_map<(d0, d1) -> (d1)>
#s = affine_map<(d0, d1) -> ()>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// A product of dequantised bytes: sums of bytes in i32, the zero point of the
// data as one constant a column, both scales as one more, the quantiser behind.
// CHECK-LABEL: func.func @matmul
// CHECK: %[[COLUMNS:.*]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : tensor<16x32xi8>)
// CHECK: arith.addi
// CHECK: %[[SHIFT:.*]] = linalg.generic {{.*}} ins(%[[COLUMNS]] : tensor<32xi32>)
// CHECK: arith.muli %{{.*}}, %c3_i32
// CHECK: %[[SUMS:.*]] = linalg.generic {{.*}} ins(%arg0, %{{.*}} : tensor<8x16xi8>, tensor<16x32xi8>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: %[[X:.*]] = arith.extui %{{.*}} : i8 to i32
// CHECK-NEXT: %[[W:.*]] = arith.extsi %{{.*}} : i8 to i32
// CHECK-NEXT: %[[P:.*]] = arith.muli %[[X]], %[[W]]
// CHECK-NEXT: arith.addi %{{.*}}, %[[P]]
// CHECK: linalg.generic {{.*}} ins(%[[SUMS]], %[[SHIFT]], %{{.*}} : tensor<8x32xi32>, tensor<32xi32>, tensor<32xf32>)
// CHECK: arith.subi
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @matmul(%x: tensor<8x16xi8>) -> tensor<8x32xf32> {
  %w = model.constant "w" : tensor<16x32xi8>
  %sw = model.constant "s" : tensor<32xf32>
  %sx = arith.constant dense<0.5> : tensor<f32>
  %zx = arith.constant dense<3> : tensor<i8>
  %zero = arith.constant 0.0 : f32
  %ex = tensor.empty() : tensor<8x16xf32>
  %xf = linalg.generic {indexing_maps = [#mn, #s, #s, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %sx, %zx : tensor<8x16xi8>, tensor<f32>, tensor<i8>) outs(%ex : tensor<8x16xf32>) {
  ^bb0(%v: i8, %s: f32, %z: i8, %o: f32):
    %0 = arith.extui %v : i8 to i32
    %1 = arith.extui %z : i8 to i32
    %2 = arith.subi %0, %1 : i32
    %3 = arith.sitofp %2 : i32 to f32
    %4 = arith.mulf %3, %s : f32
    linalg.yield %4 : f32
  } -> tensor<8x16xf32>
  %ew = tensor.empty() : tensor<16x32xf32>
  %wf = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%w, %sw : tensor<16x32xi8>, tensor<32xf32>) outs(%ew : tensor<16x32xf32>) {
  ^bb0(%v: i8, %s: f32, %o: f32):
    %3 = arith.sitofp %v : i8 to f32
    %4 = arith.mulf %3, %s : f32
    linalg.yield %4 : f32
  } -> tensor<16x32xf32>
  %ey = tensor.empty() : tensor<8x32xf32>
  %fill = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]} outs(%ey : tensor<8x32xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<8x32xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%xf, %wf : tensor<8x16xf32>, tensor<16x32xf32>) outs(%fill : tensor<8x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

#mn = affine_map<(d0, d1) -> (d0, d1)>
#n = affine_map<(d0, d1) -> (0, d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// Weights of bytes and data in floats: a cast and a scale in two operators. The
// bytes are read in the sum, the scale comes behind it.
// CHECK-LABEL: func.func @weights
// CHECK-NOT: tensor<16x32xf32>
// CHECK: linalg.generic {{.*}} ins(%arg0, %{{.*}} : tensor<?x16xf32>, tensor<16x32xi8>)
// CHECK: arith.sitofp
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @weights(%x: tensor<?x16xf32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %w = model.constant "w" : tensor<16x32xi8>
  %sw = model.constant "s" : tensor<1x32xf32>
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x16xf32>
  %ew = tensor.empty() : tensor<16x32xf32>
  %wf = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<16x32xi8>) outs(%ew : tensor<16x32xf32>) {
  ^bb0(%v: i8, %o: f32):
    %3 = arith.sitofp %v : i8 to f32
    linalg.yield %3 : f32
  } -> tensor<16x32xf32>
  %ws = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%wf, %sw : tensor<16x32xf32>, tensor<1x32xf32>) outs(%ew : tensor<16x32xf32>) {
  ^bb0(%v: f32, %s: f32, %o: f32):
    %4 = arith.mulf %v, %s : f32
    linalg.yield %4 : f32
  } -> tensor<16x32xf32>
  %ey = tensor.empty(%m) : tensor<?x32xf32>
  %fill = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]} outs(%ey : tensor<?x32xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<?x32xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %ws : tensor<?x16xf32>, tensor<16x32xf32>) outs(%fill : tensor<?x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

#mn = affine_map<(d0, d1) -> (d0, d1)>
#k = affine_map<(d0, d1) -> (d0)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// A scale that varies along the sum cannot leave it.
// CHECK-LABEL: func.func @varies
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%{{.*}}, %{{.*}}, %{{.*}} : tensor<8x16xf32>, tensor<16x32xi8>, tensor<16xf32>)
// CHECK: arith.sitofp
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @varies(%x: tensor<8x16xi8>) -> tensor<8x32xf32> {
  %w = model.constant "w" : tensor<16x32xi8>
  %sw = model.constant "s" : tensor<16xf32>
  %zero = arith.constant 0.0 : f32
  %ex = tensor.empty() : tensor<8x16xf32>
  %xf = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x16xi8>) outs(%ex : tensor<8x16xf32>) {
  ^bb0(%v: i8, %o: f32):
    %3 = arith.sitofp %v : i8 to f32
    linalg.yield %3 : f32
  } -> tensor<8x16xf32>
  %ew = tensor.empty() : tensor<16x32xf32>
  %wf = linalg.generic {indexing_maps = [#mn, #k, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%w, %sw : tensor<16x32xi8>, tensor<16xf32>) outs(%ew : tensor<16x32xf32>) {
  ^bb0(%v: i8, %s: f32, %o: f32):
    %3 = arith.sitofp %v : i8 to f32
    %4 = arith.mulf %3, %s : f32
    linalg.yield %4 : f32
  } -> tensor<16x32xf32>
  %ey = tensor.empty() : tensor<8x32xf32>
  %fill = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]} outs(%ey : tensor<8x32xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<8x32xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%xf, %wf : tensor<8x16xf32>, tensor<16x32xf32>) outs(%fill : tensor<8x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<8x32xf32>
  return %y : tensor<8x32xf32>
}

// -----

#x = affine_map<(d0, d1, d2, d3) -> (d2, d1 + d3)>
#w = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
#y = affine_map<(d0, d1, d2, d3) -> (d0, d1)>
#i2 = affine_map<(d0, d1) -> (d0, d1)>
#i3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// Three channels of a convolution become four.
// CHECK-LABEL: func.func @channels
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x12xi8>)
// CHECK: tensor.extract %arg0{{.*}} : tensor<3x12xi8>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<8x4x5xi8>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x12xi8>, tensor<8x4x5xi8>) outs(%{{.*}} : tensor<8x8xi32>)
func.func @channels(%x: tensor<3x12xi8>) -> tensor<8x8xf32> {
  %w = model.constant "w" : tensor<8x3x5xi8>
  %zero = arith.constant 0.0 : f32
  %ex = tensor.empty() : tensor<3x12xf32>
  %xf = linalg.generic {indexing_maps = [#i2, #i2], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<3x12xi8>) outs(%ex : tensor<3x12xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.uitofp %v : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<3x12xf32>
  %ew = tensor.empty() : tensor<8x3x5xf32>
  %wf = linalg.generic {indexing_maps = [#i3, #i3], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%w : tensor<8x3x5xi8>) outs(%ew : tensor<8x3x5xf32>) {
  ^bb0(%v: i8, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    linalg.yield %0 : f32
  } -> tensor<8x3x5xf32>
  %ey = tensor.empty() : tensor<8x8xf32>
  %fill = linalg.generic {indexing_maps = [#i2], iterator_types = ["parallel", "parallel"]} outs(%ey : tensor<8x8xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<8x8xf32>
  %y = linalg.generic {indexing_maps = [#x, #w, #y], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%xf, %wf : tensor<3x12xf32>, tensor<8x3x5xf32>) outs(%fill : tensor<8x8xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}
