// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @roll
// CHECK: %[[P:.*]] = nest.alloc : memref<3xf32>
// CHECK: nest.for %[[R:.*]] = 0 to 2 {
// CHECK: nest.block "P_first" (%[[V:.*]] : spatial = %[[R]] to 10) {
// CHECK: %[[M:.*]] = arith.remui %[[V]], %{{.*}} : index
// CHECK: memref.store %{{.*}}, %[[P]][%[[M]]]
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.for %[[R:.*]] = 2 to 3 {
// CHECK: nest.block "P" (%{{.*}} : spatial = %[[I]] + %[[R]] to 10) {
// CHECK: nest.block "C"
// CHECK: memref.load %[[P]]
module attributes {transform.with_named_sequence} {
  nest.func @roll(%A: memref<10xf32>, %C: memref<8xf32>) {
    %P = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "P" (%v : spatial = %i + %r to 10) {
          %a = memref.load %A[%v] : memref<10xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%v] : memref<10xf32>
        }
      }
      nest.block "C" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %two = arith.constant 2 : index
        %v1 = arith.addi %v, %one : index
        %v2 = arith.addi %v, %two : index
        %a = memref.load %P[%v] : memref<10xf32>
        %b = memref.load %P[%v1] : memref<10xf32>
        %c = memref.load %P[%v2] : memref<10xf32>
        %d = arith.addf %a, %b : f32
        %e = arith.addf %d, %c : f32
        memref.store %e, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}

// -----

// The rows of a plane, as many as there are; none if there is no iteration.
// CHECK-LABEL: nest.func @plane
// CHECK: %[[P:.*]] = nest.alloc : memref<3x6xf32>
// CHECK: nest.for %[[R:.*]] = 0 to 2 {
// CHECK: nest.for %[[J:.*]] = 0 to 6 {
// CHECK: nest.block "P_first" (%{{.*}} : spatial = %[[R]] to symbol(%[[N:.*]]) + 2, %{{.*}} : spatial = %[[J]] to 6) where (symbol(%[[N]]) - 1 >= 0)
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N]]) {
// CHECK: nest.for %[[R:.*]] = 2 to 3 {
// CHECK: nest.block "P" (%{{.*}} : spatial = %[[I]] + %[[R]] to symbol(%[[N]]) + 2
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @plane(%A: memref<?x6xf32>, %C: memref<?x4xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0 + 2, 6)>, affine_map<()[s0] -> (s0, 4)>]} {
    %P = nest.alloc [symbol(%n) + 2, 6] : memref<?x6xf32>
    nest.for %i = 0 to symbol(%n) + 2 {
      nest.for %j = 0 to 6 {
        nest.block "P" (%vi : spatial = %i to symbol(%n) + 2, %vj : spatial = %j to 6) {
          %a = memref.load %A[%vi, %vj] : memref<?x6xf32>
          %m = arith.mulf %a, %a : f32
          memref.store %m, %P[%vi, %vj] : memref<?x6xf32>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 4) {
          %two = arith.constant 2 : index
          %i2 = arith.addi %vi, %two : index
          %j2 = arith.addi %vj, %two : index
          %a = memref.load %P[%vi, %vj] : memref<?x6xf32>
          %b = memref.load %P[%i2, %j2] : memref<?x6xf32>
          %d = arith.addf %a, %b : f32
          memref.store %d, %C[%vi, %vj] : memref<?x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %c : 2
    transform.nest.compute_at %b at %i
    transform.nest.rolling_buffer %b write 0
    transform.yield
  }
}
