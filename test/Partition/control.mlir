// RUN: nestor-opt %s --split-input-file --nestor-partition | FileCheck %s

#v = affine_map<(d0) -> (d0)>

// A carried tensor stays in one buffer (here the output's); the next value goes
// through a copy, since the kernel reads the old one.
// CHECK-LABEL: func.func @carried
// CHECK: %[[H:.*]] = host.output 0 : memref<8xf32>
// CHECK: host.copy %arg0 to %[[H]]
// CHECK: scf.for
// CHECK-NOT: iter_args
// CHECK: %[[T:.*]] = host.alloc : memref<8xf32>
// CHECK: host.launch @elementwise_0(%[[H]], %[[T]])
// CHECK: host.copy %[[T]] to %[[H]]
// CHECK: return %[[H]]
func.func @carried(%x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<8xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> (tensor<8xf32>) {
    %a = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%h : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%p: f32, %o: f32):
      %t = math.exp %p : f32
      linalg.yield %t : f32
    } -> tensor<8xf32>
    scf.yield %a : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

// model.loops updates its only-here-used start value in place: no copy of the
// whole tensor in each iteration.
// CHECK-LABEL: func.func @inplace
// CHECK: %[[H:.*]] = host.output 0
// CHECK: scf.for %[[I:.*]] =
// CHECK-NEXT: host.launch @loops_0(%[[H]]) sizes(%[[I]]) writes 1
// CHECK-NOT: host.copy
// CHECK: return
func.func @inplace(%x: tensor<8xf32>, %n: index) -> tensor<8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %one = arith.constant 1.0 : f32
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> (tensor<8xf32>) {
    %a = model.loops ins() outs(%h : tensor<8xf32>) extents(%c1) iterators [0] {
    ^bb0(%k: index, %R: memref<8xf32>):
      memref.store %one, %R[%i] : memref<8xf32>
      model.yield
    } -> tensor<8xf32>
    scf.yield %a : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

// Branches yield buffers; the result is copied to the output.
// CHECK-LABEL: func.func @branches
// CHECK: %[[R:.*]] = scf.if %{{.*}} -> (memref<8xf32>) {
// CHECK: scf.yield %arg0
// CHECK: } else {
// CHECK: host.launch @elementwise_0
// CHECK: %[[O:.*]] = host.output 0
// CHECK: host.copy %[[R]] to %[[O]]
#v = affine_map<(d0) -> (d0)>
func.func @branches(%x: tensor<8xf32>, %c: tensor<i1>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<8xf32>
  %p = tensor.extract %c[] : tensor<i1>
  %r = scf.if %p -> (tensor<8xf32>) {
    scf.yield %x : tensor<8xf32>
  } else {
    %a = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%x : tensor<8xf32>) outs(%e : tensor<8xf32>) {
    ^bb0(%q: f32, %o: f32):
      %t = math.exp %q : f32
      linalg.yield %t : f32
    } -> tensor<8xf32>
    scf.yield %a : tensor<8xf32>
  }
  return %r : tensor<8xf32>
}

// -----

// A tensor that grows travels as a value.
// CHECK-LABEL: func.func @growing
// CHECK: scf.for {{.*}} iter_args(%[[H:.*]] = %arg0) -> (memref<?xf32>)
// CHECK: memref.dim %[[H]]
// CHECK: host.launch @concat_0
// CHECK: scf.yield
func.func @growing(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> (tensor<?xf32>) {
    %a = tensor.concat dim(0) %h, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    scf.yield %a : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
