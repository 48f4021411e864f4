// RUN: nestor-opt %s --split-input-file --nestor-move-divisions | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
#mn = affine_map<(m, n) -> (m, n)>
#m0 = affine_map<(m, n) -> (m, 0)>

// Weights divided by their sums, which the product does not run over: the
// results are multiplied by one reciprocal a row.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-LABEL: func.func @attention
// CHECK-SAME: (%[[P:.*]]: tensor<4x8xf32>, %[[S:.*]]: tensor<4x1xf32>, %[[V:.*]]: tensor<8x16xf32>)
// CHECK-NOT: arith.divf
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%[[P]], %[[V]]
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%[[S]] :
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
// CHECK: linalg.generic {{.*}}#[[ROW]]{{.*}} ins(%{{.*}}, %[[R]]
// CHECK: arith.mulf
func.func @attention(%p: tensor<4x8xf32>, %s: tensor<4x1xf32>, %v: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %d = tensor.empty() : tensor<4x8xf32>
  %w = linalg.generic {indexing_maps = [#mn, #m0, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<4x8xf32>, tensor<4x1xf32>) outs(%d : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.divf %a, %b : f32
    linalg.yield %q : f32
  } -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x16xf32>
  %z = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<4x16xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<4x16xf32>
  %y = linalg.generic {indexing_maps = [#mk, #kn, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%w, %v : tensor<4x8xf32>, tensor<8x16xf32>) outs(%z : tensor<4x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.mulf %a, %b : f32
    %r = arith.addf %o, %t : f32
    linalg.yield %r : f32
  } -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#out = affine_map<(m, n, k) -> (m, n)>
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// The factor belongs to what is summed over: it stays.
// CHECK-LABEL: func.func @summed
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK: linalg.generic {{.*}}"reduction"]}
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @summed(%p: tensor<4x8xf32>, %s: tensor<8xf32>, %v: tensor<8x16xf32>) -> tensor<4x16xf32> {
  %zero = arith.constant 0.0 : f32
  %d = tensor.empty() : tensor<4x8xf32>
  %w = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%p, %s : tensor<4x8xf32>, tensor<8xf32>) outs(%d : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.mulf %a, %b : f32
    linalg.yield %q : f32
  } -> tensor<4x8xf32>
  %e = tensor.empty() : tensor<4x16xf32>
  %z = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]}
      outs(%e : tensor<4x16xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<4x16xf32>
  %y = linalg.generic {indexing_maps = [#mk, #kn, #out], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%w, %v : tensor<4x8xf32>, tensor<8x16xf32>) outs(%z : tensor<4x16xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.mulf %a, %b : f32
    %r = arith.addf %o, %t : f32
    linalg.yield %r : f32
  } -> tensor<4x16xf32>
  return %y : tensor<4x16xf32>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>
#m0 = affine_map<(m, n) -> (m, 0)>

// One reciprocal for each row of a dynamic number; the inverse of a constant
// saves nothing that is worth a rounding.
// CHECK-LABEL: func.func @rows
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<?x1xf32>)
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[R]]
// CHECK: arith.mulf
// CHECK: arith.divf %{{.*}}, %{{.*}} : f32
func.func @rows(%x: tensor<?x8xf32>, %s: tensor<?x1xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %e = tensor.empty(%n) : tensor<?x8xf32>
  %y = linalg.generic {indexing_maps = [#mn, #m0, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<?x8xf32>, tensor<?x1xf32>) outs(%e : tensor<?x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %three = arith.constant 3.0 : f32
    %q = arith.divf %a, %b : f32
    %r = arith.divf %q, %three : f32
    linalg.yield %r : f32
  } -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>

// A divisor for each element: nothing is saved. Nor are doubles touched.
// CHECK-LABEL: func.func @each
// CHECK: arith.divf %{{.*}} : f32
// CHECK: arith.divf %{{.*}} : f64
func.func @each(%x: tensor<4x8xf32>, %s: tensor<4x8xf32>, %a: tensor<4x8xf64>) -> (tensor<4x8xf32>, tensor<4x8xf64>) {
  %e = tensor.empty() : tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#mn, #mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%v: f32, %b: f32, %o: f32):
    %q = arith.divf %v, %b : f32
    linalg.yield %q : f32
  } -> tensor<4x8xf32>
  %f = tensor.empty() : tensor<4x8xf64>
  %z = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<4x8xf64>) outs(%f : tensor<4x8xf64>) {
  ^bb0(%v: f64, %o: f64):
    %three = arith.constant 3.0 : f64
    %q = arith.divf %v, %three : f64
    linalg.yield %q : f64
  } -> tensor<4x8xf64>
  return %y, %z : tensor<4x8xf32>, tensor<4x8xf64>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>
#m0 = affine_map<(m, n) -> (m, 0)>

// A quotient that is cast: 41 / 41 is 1, 41 * (1 / 41) is less.
// CHECK-LABEL: func.func @cast
// CHECK-NOT: arith.mulf
// CHECK: arith.divf
// CHECK-NEXT: arith.fptosi
// CHECK-NOT: arith.mulf
func.func @cast(%x: tensor<4x8xf32>, %s: tensor<4x1xf32>) -> tensor<4x8xi64> {
  %e = tensor.empty() : tensor<4x8xi64>
  %y = linalg.generic {indexing_maps = [#mn, #m0, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<4x8xf32>, tensor<4x1xf32>) outs(%e : tensor<4x8xi64>) {
  ^bb0(%a: f32, %b: f32, %o: i64):
    %q = arith.divf %a, %b : f32
    %i = arith.fptosi %q : f32 to i64
    linalg.yield %i : i64
  } -> tensor<4x8xi64>
  return %y : tensor<4x8xi64>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>
#m0 = affine_map<(m, n) -> (m, 0)>

// Nor one that another operator rounds, behind a sum.
// CHECK-LABEL: func.func @floor_elsewhere
// CHECK-NOT: arith.mulf
// CHECK: arith.divf
// CHECK: math.floor
// CHECK-NOT: arith.mulf
func.func @floor_elsewhere(%x: tensor<4x8xf32>, %s: tensor<4x1xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %d = linalg.generic {indexing_maps = [#mn, #m0, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<4x8xf32>, tensor<4x1xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %q = arith.divf %a, %b : f32
    %one = arith.constant 1.0 : f32
    %t = arith.addf %q, %one : f32
    linalg.yield %t : f32
  } -> tensor<4x8xf32>
  %y = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%d : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %f = math.floor %a : f32
    linalg.yield %f : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
