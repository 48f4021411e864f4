// RUN: nestor-opt %s --split-input-file --nestor-compute-in-int8 --cse | FileCheck %s
// RUN: nestor-opt %s --split-input-file --nestor-compute-in-integers | FileCheck %s --check-prefix=FLOAT

#mn = affine_map<(d0, d1) -> (d0, d1)>
#n = affine_map<(d0, d1) -> (d1)>
#a = affine_map<(d0, d1, d2) -> (d0, d2)>
#b = affine_map<(d0, d1, d2) -> (d2, d1)>
#c = affine_map<(d0, d1, d2) -> (d0, d1)>

// The greatest of each row, then bytes of it, then sums of bytes; asked for only.
// CHECK-LABEL: func.func @matmul
// CHECK: linalg.generic {{.*}}["parallel", "reduction"]} ins(%arg0 : tensor<?x16xf32>)
// CHECK: math.absf
// CHECK: arith.maximumf
// CHECK: arith.divf %cst{{.*}}
// CHECK: %[[Q:.*]] = linalg.generic {{.*}} ins(%arg0, %{{.*}} : tensor<?x16xf32>, tensor<?xf32>) outs(%{{.*}} : tensor<?x16xi8>)
// CHECK: math.roundeven
// CHECK: linalg.generic {{.*}} ins(%[[Q]], %{{.*}} : tensor<?x16xi8>, tensor<16x32xi8>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.extui
// CHECK-NEXT: arith.extsi
// CHECK-NEXT: arith.muli
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : tensor<?x32xi32>, tensor<32xi32>, tensor<?xf32>, tensor<32xf32>)
// FLOAT-LABEL: func.func @matmul
// FLOAT-NOT: arith.muli
// FLOAT: arith.addf
func.func @matmul(%x: tensor<?x16xf32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %w = model.constant "w" : tensor<16x32xi8>
  %sw = model.constant "s" : tensor<32xf32>
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %x, %c0 : tensor<?x16xf32>
  %ew = tensor.empty() : tensor<16x32xf32>
  %wf = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%w, %sw : tensor<16x32xi8>, tensor<32xf32>) outs(%ew : tensor<16x32xf32>) {
  ^bb0(%v: i8, %s: f32, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %s : f32
    linalg.yield %1 : f32
  } -> tensor<16x32xf32>
  %ey = tensor.empty(%m) : tensor<?x32xf32>
  %fill = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]} outs(%ey : tensor<?x32xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<?x32xf32>
  %y = linalg.generic {indexing_maps = [#a, #b, #c], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %wf : tensor<?x16xf32>, tensor<16x32xf32>) outs(%fill : tensor<?x32xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %0 = arith.mulf %l, %r : f32
    %1 = arith.addf %o, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
