// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// A triangle: the copies are triangles as well.
// CHECK-LABEL: nest.func @syrk
// CHECK: %[[T:.*]] = nest.alloc : memref<8x8xf32>
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.for %[[J:.*]] = 0 to %[[I]] + 1 {
// CHECK: nest.block "C_in" (%[[VI:.*]] : spatial = %[[I]] to 8, %[[VJ:.*]] : spatial = %[[J]] to 8) {
// CHECK: memref.store %{{.*}}, %[[T]][%[[VI]], %[[VJ]]]
// CHECK: nest.block "C" (
// CHECK: memref.load %[[T]]
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.for %[[J:.*]] = 0 to %[[I]] + 1 {
// CHECK: nest.block "C_out"
// CHECK: memref.load %[[T]]
module attributes {transform.with_named_sequence} {
  nest.func @syrk(%A: memref<8x5xf32>, %C: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i + 1 {
        nest.for %k = 0 to 5 {
          nest.block "C" (%vi : spatial = %i to 8, %vj : spatial = %j to 8, %vk : reduce = %k to 5) {
            %a = memref.load %A[%vi, %vk] : memref<8x5xf32>
            %b = memref.load %A[%vj, %vk] : memref<8x5xf32>
            %m = arith.mulf %a, %b : f32
            %c = memref.load %C[%vi, %vj] : memref<8x8xf32>
            %r = arith.addf %c, %m : f32
            memref.store %r, %C[%vi, %vj] : memref<8x8xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %in, %out = transform.nest.cache_inplace %b write 0 in "shared"
    transform.yield
  }
}

// -----

// Another block uses the buffer in the same nest: one row at a time.
// CHECK-LABEL: nest.func @rows
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK: nest.block "twice"
// CHECK: nest.for %[[J:.*]] = 0 to 4 {
// CHECK: nest.block "plus_in" (%{{.*}} : spatial = %[[I]] to 6, %{{.*}} : spatial = %[[J]] to 4)
// CHECK: nest.block "plus"
// CHECK: nest.block "plus_out" (%{{.*}} : spatial = %[[I]] to 6
module attributes {transform.with_named_sequence} {
  nest.func @rows(%A: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 4 {
        nest.block "twice" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %c = memref.load %C[%vi, %vj] : memref<6x4xf32>
          %r = arith.addf %c, %c : f32
          memref.store %r, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "plus" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          %c = memref.load %C[%vi, %vj] : memref<6x4xf32>
          %r = arith.addf %c, %a : f32
          memref.store %r, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "plus" in %root : !transform.any_op
    %in, %out = transform.nest.cache_inplace %b write 0 in "shared"
    transform.yield
  }
}

// -----

// Different indices: all that is touched in, all that is written out.
// CHECK-LABEL: nest.func @seidel
// CHECK: %[[T:.*]] = nest.alloc [symbol(%[[N:.*]]) + 2] : memref<?xf32>
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N]]) + 2 {
// CHECK: nest.block "S_in"
// CHECK: nest.block "S" (
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N]]) {
// CHECK: nest.block "S_out" (%{{.*}} : spatial = %[[I]] + 1 to symbol(%[[N]]) + 1)
module attributes {transform.with_named_sequence} {
  nest.func @seidel(%C: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0 + 2)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.block "S" (%v : ordered = %i to symbol(%n)) {
        %one = arith.constant 1 : index
        %two = arith.constant 2 : index
        %m = arith.addi %v, %one : index
        %p = arith.addi %v, %two : index
        %a = memref.load %C[%v] : memref<?xf32>
        %b = memref.load %C[%p] : memref<?xf32>
        %s = arith.addf %a, %b : f32
        memref.store %s, %C[%m] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    %in, %out = transform.nest.cache_inplace %b write 0 in "shared"
    transform.yield
  }
}
