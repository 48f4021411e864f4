// RUN: nestor-opt --test-interpret="function=main dims=2 iota=1" --split-input-file -o /dev/null %s | FileCheck %s
// RUN: nestor-opt --test-interpret="function=main dims=2 iota=1" %s -o %t
// RUN: FileCheck --check-prefix=SAME %s < %t

// The module is left as it was, the results are printed.

// CHECK: result 0: 2x2xf32 [2, 3, 6, 11]
// SAME: func.func @main
func.func @main(%x: tensor<?x2xf32>, %w: tensor<2x2xf32>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %m = linalg.generic {
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %p = arith.mulf %a, %b : f32
      %s = arith.addf %c, %p : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32>
  return %m : tensor<?x2xf32>
}
