// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// The copy runs through the inside alone.
// CHECK-LABEL: nest.func @pad
// CHECK: nest.for %[[I:.*]] = 0 to 10 {
// CHECK-NEXT: nest.block "pad_fill" (%[[V:.*]] : spatial = %[[I]] to 10) {
// CHECK: %[[Z:.*]] = arith.constant 0.0
// CHECK: memref.store %[[Z]], %arg1[%[[V]]]
// CHECK: nest.for %[[J:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "pad" (%[[U:.*]] : spatial = %[[J]] to 8) {
// CHECK-NOT: scf.if
// CHECK: %[[W:.*]] = arith.addi %[[U]]
// CHECK: memref.load %arg0
// CHECK: memref.store %{{.*}}, %arg1[%[[W]]]
module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

// A triangle stays a predicate; the fill inside of the rows.
// CHECK-LABEL: nest.func @halo
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 {
// CHECK-NEXT: nest.block "pad_fill"
// CHECK: nest.for %[[J:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "pad" {{.*}} where (-%[[I]] + %[[J]] >= 0)
// CHECK-NOT: arith.select
module attributes {transform.with_named_sequence} {
  nest.func @halo(%A: memref<6x8xf32>, %P: memref<6x8xf32>) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 8 {
        nest.block "pad" (%u : spatial = %i to 6, %v : spatial = %j to 8) {
          %inside = arith.cmpi sle, %u, %v : index
          %a = memref.load %A[%u, %v] : memref<6x8xf32>
          %z = arith.constant 0.0 : f32
          %x = arith.select %inside, %a, %z : f32
          memref.store %x, %P[%u, %v] : memref<6x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %pad : 2
    %f = transform.nest.decompose_padding %pad at %j
    transform.yield
  }
}
