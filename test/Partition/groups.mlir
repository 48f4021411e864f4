// RUN: nestor-opt %s --split-input-file --nestor-partition | FileCheck %s

#mn = affine_map<(d0, d1) -> (d0, d1)>
#m = affine_map<(d0, d1) -> (d0)>
#v = affine_map<(d0) -> (d0)>

// A softmax over rows is one kernel of four blocks.
// CHECK-LABEL: func.func @softmax
// CHECK-COUNT-1: host.launch
// CHECK-NOT: host.launch
// CHECK: nest.func @reduce_elementwise_0
// CHECK-COUNT-3: nest.alloc
// CHECK: nest.block "reduce" (
// CHECK: nest.block "elementwise" (
// CHECK: nest.block "reduce_1" (
// CHECK: nest.block "elementwise_1" (
func.func @softmax(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %n = tensor.dim %x, %c0 : tensor<?x64xf32>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %ev = tensor.empty(%n) : tensor<?xf32>
  %f0 = linalg.generic {indexing_maps = [#v], iterator_types = ["parallel"]} outs(%ev : tensor<?xf32>) {
  ^bb0(%o: f32):
    linalg.yield %low : f32
  } -> tensor<?xf32>
  %max = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x64xf32>) outs(%f0 : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.maximumf %a, %o : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  %ex = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.subf %a, %b : f32
    %u = math.exp %t : f32
    linalg.yield %u : f32
  } -> tensor<?x64xf32>
  %f1 = linalg.generic {indexing_maps = [#v], iterator_types = ["parallel"]} outs(%ev : tensor<?xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]}
      ins(%ex : tensor<?x64xf32>) outs(%f1 : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %o, %a : f32
    linalg.yield %t : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%ex, %sum : tensor<?x64xf32>, tensor<?xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.divf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

#mn = affine_map<(d0, d1) -> (d0, d1)>
#nm = affine_map<(d0, d1) -> (d1, d0)>
#m = affine_map<(d0, d1) -> (d0)>
#v = affine_map<(d0) -> (d0)>

// A reader that takes the rows' results in another order needs all of them
// first: its own kernel.
// CHECK-LABEL: func.func @columns
// CHECK: host.launch @reduce_0
// CHECK: host.launch @elementwise_0
func.func @columns(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %ev = tensor.empty() : tensor<8xf32>
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.generic {indexing_maps = [#v], iterator_types = ["parallel"]} outs(%ev : tensor<8xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<8xf32>
  %s = linalg.generic {indexing_maps = [#mn, #m], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<8x8xf32>) outs(%f : tensor<8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %a, %o : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  %y = linalg.generic {indexing_maps = [#mn, affine_map<(d0, d1) -> (d1)>, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s : tensor<8x8xf32>, tensor<8xf32>) outs(%e : tensor<8x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.divf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<8x8xf32>
  return %y : tensor<8x8xf32>
}

// -----

// Two operators of one structure share a kernel.
// CHECK-LABEL: func.func @same
// CHECK: host.launch @elementwise_0
// CHECK: host.launch @elementwise_0
// CHECK-COUNT-1: nest.func
// CHECK-NOT: nest.func
#v = affine_map<(d0) -> (d0)>
func.func @same(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = tensor.empty() : tensor<8xf32>
  %a = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %t = math.exp %i : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  %b = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%y : tensor<8xf32>) outs(%e : tensor<8xf32>) {
  ^bb0(%i: f32, %o: f32):
    %t = math.exp %i : f32
    linalg.yield %t : f32
  } -> tensor<8xf32>
  return %a, %b : tensor<8xf32>, tensor<8xf32>
}
