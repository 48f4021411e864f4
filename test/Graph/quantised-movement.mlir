// RUN: nestor-opt %s --split-input-file --nestor-compute-in-integers | FileCheck %s

#i = affine_map<(d0) -> (d0)>
#s = affine_map<(d0) -> ()>

// What padding put around the floats as 0 is the zero point around the bytes.
// CHECK-LABEL: func.func @pad
// CHECK-DAG: %[[Z:.*]] = arith.constant 7 : i8
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<10xi8>)
// CHECK: %[[V:.*]] = tensor.extract %arg0[%{{.*}}] : tensor<8xi8>
// CHECK: arith.select %{{.*}}, %[[V]], %[[Z]] : i8
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<10xf32>)
// CHECK: arith.extui
func.func @pad(%x: tensor<8xi8>) -> tensor<10xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  %z = arith.constant dense<7> : tensor<i8>
  %s = arith.constant dense<0.5> : tensor<f32>
  %e = tensor.empty() : tensor<8xf32>
  %f = linalg.generic {indexing_maps = [#i, #s, #s, #i], iterator_types = ["parallel"]}
      ins(%x, %s, %z : tensor<8xi8>, tensor<f32>, tensor<i8>) outs(%e : tensor<8xf32>) {
  ^bb0(%v: i8, %sv: f32, %zv: i8, %o: f32):
    %0 = arith.extui %v : i8 to i32
    %1 = arith.extui %zv : i8 to i32
    %2 = arith.subi %0, %1 : i32
    %3 = arith.sitofp %2 : i32 to f32
    %4 = arith.mulf %3, %sv : f32
    linalg.yield %4 : f32
  } -> tensor<8xf32>
  %e2 = tensor.empty() : tensor<10xf32>
  %p = linalg.generic {indexing_maps = [#i], iterator_types = ["parallel"]} outs(%e2 : tensor<10xf32>) {
  ^bb0(%o: f32):
    %0 = linalg.index 0 : index
    %1 = arith.subi %0, %c1 : index
    %2 = arith.cmpi sge, %1, %c0 : index
    %3 = arith.cmpi slt, %1, %c8 : index
    %4 = arith.andi %2, %3 : i1
    %5 = arith.minsi %1, %c7 : index
    %6 = arith.maxsi %5, %c0 : index
    %7 = tensor.extract %f[%6] : tensor<8xf32>
    %8 = arith.select %4, %7, %zero : f32
    linalg.yield %8 : f32
  } -> tensor<10xf32>
  return %p : tensor<10xf32>
}

// -----

#i = affine_map<(d0) -> (d0)>
// A quantiser of a concatenation quantises its parts.
// CHECK-LABEL: func.func @concat
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<8xf32>)
// CHECK: arith.divf
// CHECK: linalg.generic {{.*}} ins(%arg1 : tensor<4xf32>)
// CHECK: tensor.concat dim(0) {{.*}} (tensor<8xi8>, tensor<4xi8>, tensor<2xi8>) -> tensor<14xi8>
// CHECK-NEXT: return
func.func @concat(%x: tensor<8xf32>, %y: tensor<4xf32>, %b: tensor<2xi8>) -> tensor<14xi8> {
  %eb = tensor.empty() : tensor<2xf32>
  %f = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]}
      ins(%b : tensor<2xi8>) outs(%eb : tensor<2xf32>) {
  ^bb0(%v: i8, %o: f32):
    %s = arith.constant 0.25 : f32
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %s : f32
    linalg.yield %1 : f32
  } -> tensor<2xf32>
  %c = tensor.concat dim(0) %x, %y, %f : (tensor<8xf32>, tensor<4xf32>, tensor<2xf32>) -> tensor<14xf32>
  %e = tensor.empty() : tensor<14xi8>
  // The part that was bytes of this scale is these bytes again.
  %q = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]}
      ins(%c : tensor<14xf32>) outs(%e : tensor<14xi8>) {
  ^bb0(%v: f32, %o: i8):
    %s = arith.constant 0.25 : f32
    %low = arith.constant -128.0 : f32
    %high = arith.constant 127.0 : f32
    %0 = arith.divf %v, %s : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.maxnumf %1, %low : f32
    %3 = arith.minnumf %2, %high : f32
    %4 = arith.fptosi %3 : f32 to i32
    %5 = arith.trunci %4 : i32 to i8
    linalg.yield %5 : i8
  } -> tensor<14xi8>
  return %q : tensor<14xi8>
}

// -----

#i = affine_map<(d0, d1) -> (d0, d1)>
#r = affine_map<(d0, d1) -> (d0)>
#n = affine_map<(d0) -> (d0)>
// Rows of a table of bytes: the scale of the row is gathered too.
// CHECK-LABEL: func.func @embedding
// CHECK-NOT: tensor<100x8xf32>
// CHECK: %[[B:.*]] = tensor.extract %{{.*}}[%[[ROW:.*]], %{{.*}}] : tensor<100x8xi8>
// CHECK: %[[S:.*]] = tensor.extract %{{.*}}[%[[ROW]]] : tensor<100xf32>
// CHECK: arith.mulf %{{.*}}, %[[S]]
func.func @embedding(%ids: tensor<?xi64>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %c99 = arith.constant 99 : index
  %w = model.constant "w" : tensor<100x8xi8>
  %s = model.constant "s" : tensor<100xf32>
  %e = tensor.empty() : tensor<100x8xf32>
  %f = linalg.generic {indexing_maps = [#i, #r, #i], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<100x8xi8>, tensor<100xf32>) outs(%e : tensor<100x8xf32>) {
  ^bb0(%v: i8, %sv: f32, %o: f32):
    %0 = arith.sitofp %v : i8 to f32
    %1 = arith.mulf %0, %sv : f32
    linalg.yield %1 : f32
  } -> tensor<100x8xf32>
  %n = tensor.dim %ids, %c0 : tensor<?xi64>
  %e2 = tensor.empty(%n) : tensor<?x8xf32>
  %g = linalg.generic {indexing_maps = [#r, #i], iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<?xi64>) outs(%e2 : tensor<?x8xf32>) {
  ^bb0(%id: i64, %o: f32):
    %0 = arith.index_cast %id : i64 to index
    %1 = arith.minsi %0, %c99 : index
    %2 = arith.maxsi %1, %c0 : index
    %3 = linalg.index 1 : index
    %4 = tensor.extract %f[%2, %3] : tensor<100x8xf32>
    linalg.yield %4 : f32
  } -> tensor<?x8xf32>
  return %g : tensor<?x8xf32>
}

// -----

#i = affine_map<(d0) -> (d0)>
#w = affine_map<(d0, d1) -> (d0 * 2 + d1)>
#k = affine_map<(d0, d1) -> (d1)>
#o = affine_map<(d0, d1) -> (d0)>
// The greatest of floats, quantised: the greatest of bytes.
// CHECK-LABEL: func.func @pool
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<8xf32>) outs(%{{.*}} : tensor<8xi8>)
// CHECK: math.roundeven
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4xi8>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8xi8>, tensor<2xf32>)
// CHECK: arith.maxui
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @pool(%x: tensor<8xf32>) -> tensor<4xi8> {
  %low = arith.constant 0xFF800000 : f32
  %window = tensor.empty() : tensor<2xf32>
  %e = tensor.empty() : tensor<4xf32>
  %fill = linalg.generic {indexing_maps = [#i], iterator_types = ["parallel"]} outs(%e : tensor<4xf32>) {
  ^bb0(%o: f32):
    linalg.yield %low : f32
  } -> tensor<4xf32>
  %m = linalg.generic {indexing_maps = [#w, #k, #o], iterator_types = ["parallel", "reduction"]}
      ins(%x, %window : tensor<8xf32>, tensor<2xf32>) outs(%fill : tensor<4xf32>) {
  ^bb0(%v: f32, %u: f32, %o: f32):
    %0 = arith.maximumf %o, %v : f32
    linalg.yield %0 : f32
  } -> tensor<4xf32>
  %e2 = tensor.empty() : tensor<4xi8>
  %q = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]}
      ins(%m : tensor<4xf32>) outs(%e2 : tensor<4xi8>) {
  ^bb0(%v: f32, %o: i8):
    %s = arith.constant 0.25 : f32
    %zero = arith.constant 3.0 : f32
    %least = arith.constant 0.0 : f32
    %most = arith.constant 255.0 : f32
    %0 = arith.divf %v, %s : f32
    %1 = math.roundeven %0 : f32
    %2 = arith.addf %1, %zero : f32
    %3 = arith.maxnumf %2, %least : f32
    %4 = arith.minnumf %3, %most : f32
    %5 = arith.fptosi %4 : f32 to i32
    %6 = arith.trunci %5 : i32 to i8
    linalg.yield %6 : i8
  } -> tensor<4xi8>
  return %q : tensor<4xi8>
}
