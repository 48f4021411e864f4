// RUN: nestor-opt %s --split-input-file --nestor-choose-layouts | FileCheck %s

// A convolution and the operator behind it compute [n, h, w, c]; the result is
// brought back for the caller. Loops: result dims, window, channels.
#in = affine_map<(n, m, h, w, c, k, l) -> (n, c, h + k, w + l)>
#wt = affine_map<(n, m, h, w, c, k, l) -> (m, c, k, l)>
#out = affine_map<(n, m, h, w, c, k, l) -> (n, m, h, w)>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>

// CHECK-DAG: #[[IN:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d6, d1 + d4, d2 + d5)>
// CHECK-DAG: #[[WT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d4, d5, d6, d3)>
// CHECK-DAG: #[[OUT:.*]] = affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @main
// CHECK: %[[W:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<16x8x3x3xf32>) outs(%{{.*}} : tensor<3x3x8x16xf32>)
// CHECK: linalg.generic {indexing_maps = [#[[IN]], #[[WT]], #[[OUT]]]
// CHECK-SAME: ins(%arg0, %[[W]] : tensor<1x8x10x10xf32>, tensor<3x3x8x16xf32>) outs(%{{.*}} : tensor<1x8x8x16xf32>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<1x8x8x16xf32>) outs(%{{.*}} : tensor<1x8x8x16xf32>)
// CHECK: math.exp
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<1x8x8x16xf32>) outs(%{{.*}} : tensor<1x16x8x8xf32>)
// CHECK: return %[[Y]]
func.func @main(%x: tensor<1x8x10x10xf32>) -> tensor<1x16x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = model.constant "w" : tensor<16x8x3x3xf32>
  %e = tensor.empty() : tensor<1x16x8x8xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%e : tensor<1x16x8x8xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<1x16x8x8xf32>
  %y = linalg.generic {indexing_maps = [#in, #wt, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x8x10x10xf32>, tensor<16x8x3x3xf32>) outs(%f : tensor<1x16x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x16x8x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x16x8x8xf32>) outs(%e : tensor<1x16x8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<1x16x8x8xf32>
  return %r : tensor<1x16x8x8xf32>
}

// -----

// Without a convolution nothing turns.
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @main
// CHECK-NOT: tensor<1x8x8x16xf32>
func.func @main(%x: tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32> {
  %e = tensor.empty() : tensor<1x16x8x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x16x8x8xf32>) outs(%e : tensor<1x16x8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.exp %a : f32
    linalg.yield %s : f32
  } -> tensor<1x16x8x8xf32>
  return %r : tensor<1x16x8x8xf32>
}

// -----

// Groups with channels of their own would have to move together with them.
#in = affine_map<(n, g, m, h, w, c, k, l) -> (n, g, c, h + k, w + l)>
#wt = affine_map<(n, g, m, h, w, c, k, l) -> (g, m, c, k, l)>
#out = affine_map<(n, g, m, h, w, c, k, l) -> (n, g, m, h, w)>
#id = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
// CHECK-LABEL: func.func @main
// CHECK-NOT: tensor<1x8x8x8x2xf32>
// CHECK: return %{{.*}} : tensor<1x2x8x8x8xf32>
func.func @main(%x: tensor<1x2x4x10x10xf32>) -> tensor<1x2x8x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = model.constant "w" : tensor<2x8x4x3x3xf32>
  %e = tensor.empty() : tensor<1x2x8x8x8xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]} outs(%e : tensor<1x2x8x8x8xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<1x2x8x8x8xf32>
  %y = linalg.generic {indexing_maps = [#in, #wt, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x2x4x10x10xf32>, tensor<2x8x4x3x3xf32>) outs(%f : tensor<1x2x8x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<1x2x8x8x8xf32>
  return %y : tensor<1x2x8x8x8xf32>
}

// -----

// A pooling alone gains enough for copies on both sides.
#in = affine_map<(n, c, h, w, k, l) -> (n, c, h * 2 + k, w * 2 + l)>
#win = affine_map<(n, c, h, w, k, l) -> (k, l)>
#out = affine_map<(n, c, h, w, k, l) -> (n, c, h, w)>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @main
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8x8x16xf32>)
// CHECK: arith.maximumf
func.func @main(%x: tensor<1x16x17x17xf32>) -> tensor<1x16x8x8xf32> {
  %least = arith.constant 0xFF800000 : f32
  %k = tensor.empty() : tensor<3x3xf32>
  %e = tensor.empty() : tensor<1x16x8x8xf32>
  %f = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} outs(%e : tensor<1x16x8x8xf32>) {
  ^bb0(%o: f32):
    linalg.yield %least : f32
  } -> tensor<1x16x8x8xf32>
  %y = linalg.generic {indexing_maps = [#in, #win, #out], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %k : tensor<1x16x17x17xf32>, tensor<3x3xf32>) outs(%f : tensor<1x16x8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.maximumf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x16x8x8xf32>
  return %y : tensor<1x16x8x8xf32>
}
