// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 2 {
// CHECK: nest.block "B"
// CHECK: nest.for %{{.*}} = 2 to 7 {
// CHECK: nest.block "B_part"
// CHECK: nest.for %{{.*}} = 7 to 8 {
// CHECK: nest.block "B_part_1"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %p, %q, %r = transform.nest.loop_partition %i by [2, 5, 1] : 3
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 1 {
// CHECK: nest.for %{{.*}} = 1 to symbol(%{{.*}}) - 2 {
// CHECK: nest.for %{{.*}} = symbol(%{{.*}}) - 2 to symbol(%{{.*}}) {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?xf32>, %B: memref<?xf32>, %n: index {nest.min = 4 : i64})
      attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.block "B" (%v : spatial = %i to symbol(%n)) {
        %a = memref.load %A[%v] : memref<?xf32>
        memref.store %a, %B[%v] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %p, %q, %r = transform.nest.loop_partition %i by [1, -1, 2] : 3
    transform.yield
  }
}
