// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Copies of a row come one iteration ahead of its use; two are on their way.
// CHECK-LABEL: nest.func @rows
// CHECK: %[[T:.*]] = nest.alloc : memref<2x4xf32>
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "P_prologue" (%{{.*}} : ordered = 0 to 8, %{{.*}} : spatial = %[[J]] to 4, %{{.*}} : ordered = 0 to 2) {
// CHECK: nest.for %[[I:.*]] = 0 to 7 {
// CHECK: nest.block "C" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}}, %{{.*}} : spatial = %[[I]] mod 2 to 2) {
// CHECK: nest.block "P" (%{{.*}} : ordered = %[[I]] + 1 to 8, %{{.*}}, %{{.*}} : ordered = (%[[I]] + 1) mod 2 to 2) {
// CHECK: nest.block "C_epilogue" (%{{.*}} : spatial = 7 to 8, %{{.*}}, %{{.*}} : spatial = 1 to 2) {
module attributes {transform.with_named_sequence} {
  nest.func @rows(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      %T = nest.alloc : memref<4xf32>
      nest.for %j = 0 to 4 {
        nest.block "P" (%o : spatial = %i to 8, %u : spatial = %j to 4) {
          %a = memref.load %A[%o, %u] : memref<8x4xf32>
          memref.store %a, %T[%u] : memref<4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %T[%v] : memref<4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %p : 2
    transform.nest.pipeline %i stages [0, 1] order [1, 0]
    transform.yield
  }
}

// -----

// Perhaps fewer iterations than stages: what runs outside of the loop is
// guarded.
// CHECK-LABEL: nest.func @few
// CHECK: nest.block "P_prologue" (%{{.*}} : ordered = 0 to symbol(%[[N:.*]]), %{{.*}} : ordered = 0 to 3) where (symbol(%[[N]]) - 1 >= 0)
// CHECK: nest.block "P_prologue_1" (%{{.*}} : ordered = 1 to symbol(%[[N]]), %{{.*}} : ordered = 1 to 3) where (symbol(%[[N]]) - 2 >= 0)
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N]]) - 2 {
// CHECK: nest.block "P" (%{{.*}} : ordered = %[[I]] + 2 to
// CHECK: nest.block "C" (%{{.*}} : spatial = %[[I]] to
// CHECK: nest.block "C_epilogue" (%{{.*}} : spatial = symbol(%[[N]]) - 2 to {{.*}}) where (symbol(%[[N]]) - 2 >= 0)
// CHECK: nest.block "C_epilogue_1" (%{{.*}} : spatial = symbol(%[[N]]) - 1 to {{.*}}) where (symbol(%[[N]]) - 1 >= 0)
module attributes {transform.with_named_sequence} {
  nest.func @few(%A: memref<?xf32>, %B: memref<?xf32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (n)>, affine_map<()[n] -> (n)>]} {
    nest.for %i = 0 to symbol(%n) {
      %T = nest.alloc : memref<1xf32>
      nest.block "P" (%u : spatial = %i to symbol(%n)) {
        %z = arith.constant 0 : index
        %a = memref.load %A[%u] : memref<?xf32>
        memref.store %a, %T[%z] : memref<1xf32>
      }
      nest.block "C" (%u : spatial = %i to symbol(%n)) {
        %z = arith.constant 0 : index
        %a = memref.load %T[%z] : memref<1xf32>
        memref.store %a, %B[%u] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    transform.nest.pipeline %i stages [0, 2] order [0, 1]
    transform.yield
  }
}
