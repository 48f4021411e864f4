// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Each statement bounds the loop of the taps; clamped indices are inside then.
// CHECK-LABEL: nest.func @window
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "S_init"
// CHECK: nest.for %[[R:.*]] = max(0, -%[[I]] + 1) to min(3, -%[[I]] + 9) {
// CHECK-NEXT: nest.block "S" (%[[V:.*]] : spatial = %[[I]] to 8, %[[W:.*]] : reduce = %[[R]] to 3) {
// CHECK-NOT: arith.minsi
// CHECK-NOT: arith.select
// CHECK: %[[P:.*]] = arith.subi
// CHECK: memref.load %arg0[%[[P]]]
module attributes {transform.with_named_sequence} {
  nest.func @window(%A: memref<8xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 0.0 : f32
          %zero = arith.constant 0 : index
          %one = arith.constant 1 : index
          %seven = arith.constant 7 : index
          %at = arith.addi %v, %w : index
          %p = arith.subi %at, %one : index
          %low = arith.cmpi sge, %p, %zero : index
          %high = arith.cmpi sle, %p, %seven : index
          %inside = arith.andi %low, %high : i1
          %q = arith.minsi %p, %seven : index
          %j = arith.maxsi %q, %zero : index
          %a = memref.load %A[%j] : memref<8xf32>
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

// Copies of the code have predicates. A factor of 0 adds nothing.
// CHECK-LABEL: nest.func @unrolled
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.for %[[R:.*]] = 0 to 3 unroll {
// CHECK-NEXT: nest.block "S" {{.*}} where (%[[I]] + %[[R]] - 1 >= 0, -%[[I]] - %[[R]] + 8 >= 0) {
// CHECK-NOT: scf.if
module attributes {transform.with_named_sequence} {
  nest.func @unrolled(%A: memref<8xf32>, %B: memref<3xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 0.0 : f32
          %one = arith.constant 1 : index
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %low = arith.cmpi sge, %at, %one : index
          %high = arith.cmpi sle, %at, %eight : index
          %inside = arith.andi %low, %high : i1
          %x = scf.if %inside -> f32 {
            %p = arith.subi %at, %one : index
            %a = memref.load %A[%p] : memref<8xf32>
            scf.yield %a : f32
          } else {
            scf.yield %z : f32
          }
          %b = memref.load %B[%w] : memref<3xf32>
          %m = arith.mulf %b, %x : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %m, %s : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    transform.nest.unroll %r
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

// A maximum has another neutral element; sizes may say where the border is.
// CHECK-LABEL: nest.func @maximum
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%arg2) {
// CHECK: nest.for %{{.*}} = 0 to min(3, -%[[I]] + symbol(%arg2)) {
// CHECK-NEXT: nest.block "S"
// CHECK-NOT: arith.select
module attributes {transform.with_named_sequence} {
  nest.func @maximum(%A: memref<?xf32>, %S: memref<?xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.for %r = 0 to 3 {
        nest.block "S" (%v : spatial = %i to symbol(%n), %w : reduce = %r to 3) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %S[%v] : memref<?xf32>
        } {
          %z = arith.constant 0xFF800000 : f32
          %one = arith.constant 1 : index
          %at = arith.addi %v, %w : index
          %last = arith.subi %n, %one : index
          %inside = arith.cmpi slt, %at, %n : index
          %q = arith.minsi %last, %at : index
          %a = memref.load %A[%q] : memref<?xf32>
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<?xf32>
          %t = arith.maximumf %s, %x : f32
          memref.store %t, %S[%v] : memref<?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    transform.nest.skip_padding %s
    transform.yield
  }
}
