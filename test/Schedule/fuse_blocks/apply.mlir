// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @shifted
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[I]] to 8) {
// CHECK: nest.block "Q" (%{{.*}} : spatial = %[[I]] - 1 to 7) where (%[[I]] - 1 >= 0)
// CHECK-NOT: nest.for
module attributes {transform.with_named_sequence} {
  nest.func @shifted(%A: memref<8xf32>, %B: memref<7xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 7 {
      nest.block "Q" (%u : spatial = %i to 7) {
        %one = arith.constant 1 : index
        %next = arith.addi %u, %one : index
        %a = memref.load %T[%next] : memref<8xf32>
        memref.store %a, %B[%u] : memref<7xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    transform.nest.fuse_blocks %p, %q shift [1]
    transform.yield
  }
}

// -----

// Two planes of a stencil; the second inside of the first, both of them shifted.
// CHECK-LABEL: nest.func @planes
// CHECK: nest.for %[[T:.*]] = 0 to symbol(%[[STEPS:.*]]) {
// CHECK-NEXT: nest.for %[[I:.*]] = 1 to symbol(%[[N:.*]]) {
// CHECK-NEXT: nest.for %[[J:.*]] = 1 to symbol(%[[N]]) {
// CHECK-NEXT: nest.block "B" ({{.*}}) where (-%[[I]] + symbol(%[[N]]) - 2 >= 0, -%[[J]] + symbol(%[[N]]) - 2 >= 0)
// CHECK: nest.block "A" ({{.*}}) where (%[[I]] - 2 >= 0, %[[J]] - 2 >= 0)
module attributes {transform.with_named_sequence} {
  nest.func @planes(%A: memref<?x?xf64>, %B: memref<?x?xf64>, %n: index, %steps: index)
      attributes {shapes = [affine_map<()[n, steps] -> (n, n)>, affine_map<()[n, steps] -> (n, n)>]} {
    nest.for %t = 0 to symbol(%steps) {
      nest.for %i = 1 to symbol(%n) - 1 {
        nest.for %j = 1 to symbol(%n) - 1 {
          nest.block "B" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
            %one = arith.constant 1 : index
            %up = arith.subi %vi, %one : index
            %right = arith.addi %vj, %one : index
            %a = memref.load %A[%up, %vj] : memref<?x?xf64>
            %b = memref.load %A[%vi, %right] : memref<?x?xf64>
            %s = arith.addf %a, %b : f64
            memref.store %s, %B[%vi, %vj] : memref<?x?xf64>
          }
        }
      }
      nest.for %i = 1 to symbol(%n) - 1 {
        nest.for %j = 1 to symbol(%n) - 1 {
          nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
            %one = arith.constant 1 : index
            %down = arith.addi %vi, %one : index
            %right = arith.addi %vj, %one : index
            %a = memref.load %B[%down, %vj] : memref<?x?xf64>
            %b = memref.load %B[%vi, %right] : memref<?x?xf64>
            %s = arith.subf %a, %b : f64
            memref.store %s, %A[%vi, %vj] : memref<?x?xf64>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %a = transform.nest.get_block "A" in %root : !transform.any_op
    transform.nest.fuse_blocks %b, %a shift [1, 1]
    transform.yield
  }
}

// -----

// A triangle and a square: the square's bounds hold for both.
// CHECK-LABEL: nest.func @triangle
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to 8 {
// CHECK-NEXT: nest.block "P" ({{.*}}) where (%[[I]] - %[[J]] >= 0)
// CHECK: nest.block "Q" ({{.*}}) {
module attributes {transform.with_named_sequence} {
  nest.func @triangle(%A: memref<8x8xf32>, %B: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i + 1 {
        nest.block "P" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<8x8xf32>
        }
      }
    }
    %T = nest.alloc : memref<1xf32>
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        nest.block "Q" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    transform.nest.fuse_blocks %p, %q shift [0, 0]
    transform.yield
  }
}

// -----

// What is inside of the last fused loop stays as it is.
// CHECK-LABEL: nest.func @inside
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %[[J:.*]] = 0 to %[[I]] {
// CHECK-NEXT: nest.block "P"
// CHECK: nest.for %[[J2:.*]] = %[[I]] - 2 to 4 {
// CHECK-NEXT: nest.block "Q" (%{{.*}} : spatial = %[[I]] - 2 to 8, %{{.*}} : spatial = %[[J2]] to 4) where (%[[I]] - 2 >= 0, -%[[I]] + 5 >= 0)
module attributes {transform.with_named_sequence} {
  nest.func @inside(%A: memref<8x8xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i {
        nest.block "P" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<8x8xf32>
        }
      }
    }
    nest.for %i = 0 to 4 {
      nest.for %j = %i to 4 {
        nest.block "Q" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    transform.nest.fuse_blocks %p, %q shift [2]
    transform.yield
  }
}
