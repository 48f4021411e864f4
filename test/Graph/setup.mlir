// RUN: nestor-opt %s --nestor-split-setup | FileCheck %s

// A transposed weight is computed once, in @setup; @main names the result. What
// would grow beyond the budget, splats and scalars stay in @main.

// CHECK: func.func @setup() -> (tensor<128x64xf32> {host.key = "[[KEY:f_[0-9a-f_]+]]"})
// CHECK: model.constant "w" : tensor<64x128xf32>
// CHECK: %[[T:.*]] = linalg.generic
// CHECK: return %[[T]]

// CHECK-LABEL: func.func @main
// CHECK-NOT: model.constant "w"
// CHECK: %[[W:.*]] = model.constant "[[KEY]]" : tensor<128x64xf32>
// CHECK: model.constant "b"
// CHECK: tensor<65536x1024xf32>
// CHECK: linalg.generic {{.*}} ins(%arg0, %[[W]]
#nm = affine_map<(d0, d1) -> (d1, d0)>
#mn = affine_map<(d0, d1) -> (d0, d1)>
#n = affine_map<(d0, d1) -> (d1)>
func.func @main(%x: tensor<128x64xf32>) -> (tensor<128x64xf32>, tensor<65536x1024xf32>) {
  %w = model.constant "w" : tensor<64x128xf32>
  %e = tensor.empty() : tensor<128x64xf32>
  %t = linalg.generic {indexing_maps = [#nm, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<64x128xf32>) outs(%e : tensor<128x64xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<128x64xf32>
  %b = model.constant "b" : tensor<1024xf32>
  %eb = tensor.empty() : tensor<65536x1024xf32>
  %big = linalg.generic {indexing_maps = [#n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<1024xf32>) outs(%eb : tensor<65536x1024xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<65536x1024xf32>
  %y = linalg.generic {indexing_maps = [#mn, #mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %t : tensor<128x64xf32>, tensor<128x64xf32>) outs(%e : tensor<128x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<128x64xf32>
  return %y, %big : tensor<128x64xf32>, tensor<65536x1024xf32>
}
