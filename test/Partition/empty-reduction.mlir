// RUN: nestor-opt %s --nestor-partition | FileCheck %s

// The start of a sum whose length only a run knows: a kernel of its own serves
// the runs in which it is 0, because an init runs with the first step.

// CHECK-LABEL: func.func @main
// CHECK: %[[N:.*]] = memref.dim
// CHECK: %[[EMPTY:.*]] = arith.cmpi sle, %[[N]]
// CHECK: scf.if %[[EMPTY]] {
// CHECK: host.launch @reduce_empty_0
// CHECK: } else {
// CHECK: host.launch @reduce_0

// CHECK-LABEL: nest.func @reduce_empty_0
// CHECK-SAME: nest.cold
// CHECK: nest.block "reduce_start"
// CHECK: memref.store
// CHECK: nest.block "reduce" ({{.*}}) {

// CHECK-LABEL: nest.func @reduce_0
// CHECK-NOT: nest.cold
// CHECK: nest.block "reduce" ({{.*}}) init {

func.func @main(%x: tensor<3x?xf32> {model.name = "x", model.dims = [3, "n"]})
    -> (tensor<3xf32> {model.name = "y", model.dims = [3]}) {
  %start = arith.constant 5.0 : f32
  %e = tensor.empty() : tensor<3xf32>
  %f = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>],
      iterator_types = ["parallel"]} outs(%e : tensor<3xf32>) {
  ^bb0(%o: f32):
    linalg.yield %start : f32
  } -> tensor<3xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x?xf32>) outs(%f : tensor<3xf32>) {
  ^bb0(%a: f32, %acc: f32):
    %s = arith.addf %acc, %a : f32
    linalg.yield %s : f32
  } -> tensor<3xf32>
  return %m : tensor<3xf32>
}
