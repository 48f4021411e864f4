// RUN: nestor-opt %s --nestor-partition | FileCheck %s

// A matmul and what follows it, with a dynamic number of rows: host function,
// kernels, and a result that is born in its output's buffer.

// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: memref<?x128xf32> {model.dims = ["n", 128], model.name = "x"}) -> (memref<?x64xf32> {model.name = "y"})
// CHECK-DAG: %[[W:.*]] = host.constant "w" : memref<128x64xf32>
// CHECK-DAG: %[[B:.*]] = host.constant "b" : memref<64xf32>
// CHECK: %[[N:.*]] = memref.dim %[[X]]
// CHECK: %[[Y:.*]] = host.output 0[%[[N]]] : memref<?x64xf32>
// CHECK: host.launch @matmul_elementwise_0(%[[X]], %[[W]], %[[B]], %[[Y]]) sizes(%[[N]]) writes 1
// CHECK: return %[[Y]]

// The epilogue rides with the matmul: what is between them is the kernel's own.
// CHECK-LABEL: nest.func @matmul_elementwise_0
// CHECK: %[[T:.*]] = nest.alloc [symbol(%{{.*}}), 64] : memref<?x64xf32>
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%{{.*}}) {
// CHECK: nest.for %[[J:.*]] = 0 to 64 {
// CHECK: nest.for %[[K:.*]] = 0 to 128 {
// CHECK: nest.block "matmul" (%{{.*}} : spatial = %[[I]] to symbol(%{{.*}}), %{{.*}} : spatial = %[[J]] to 64, %{{.*}} : reduce = %[[K]] to 128) init {
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: } {
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: nest.block "elementwise"
// CHECK: memref.load %[[T]]

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn3 = affine_map<(m, n, k) -> (m, n)>
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

func.func @main(%x: tensor<?x128xf32> {model.name = "x", model.dims = ["n", 128]})
    -> (tensor<?x64xf32> {model.name = "y"}) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x128xf32>
  %w = model.constant "w" : tensor<128x64xf32>
  %b = model.constant "b" : tensor<64xf32>
  %e = tensor.empty(%n) : tensor<?x64xf32>
  %f = linalg.generic {indexing_maps = [#mn], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<?x64xf32>) {
  ^bb0(%o: f32):
    linalg.yield %zero : f32
  } -> tensor<?x64xf32>
  %m = linalg.generic {indexing_maps = [#mk, #kn, #mn3], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x128xf32>, tensor<128x64xf32>) outs(%f : tensor<?x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x64xf32>
  %r = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %b : tensor<?x64xf32>, tensor<64xf32>) outs(%e : tensor<?x64xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    %t = arith.maximumf %s, %zero : f32
    linalg.yield %t : f32
  } -> tensor<?x64xf32>
  return %r : tensor<?x64xf32>
}
