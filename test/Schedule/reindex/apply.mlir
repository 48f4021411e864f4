// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @conv
// CHECK: %[[T:.*]] = nest.alloc : memref<4x10x3xf32>
// CHECK: nest.block "C_read0" (%[[N:.*]] : spatial = %{{.*}} to 4, %[[H:.*]] : spatial = %{{.*}} to 10, %[[R:.*]] : spatial = %{{.*}} to 3) {
// CHECK: memref.store %{{.*}}, %[[T]][%[[N]], %[[H]], %[[R]]]
// CHECK: nest.block "C" (%[[N:.*]] : spatial = %{{.*}} to 4, %[[H:.*]] : spatial = %{{.*}} to 10, %[[R:.*]] : reduce
// CHECK: memref.load %[[T]][%[[N]], %[[H]], %[[R]]]
module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<4x21xf32>, %W: memref<3xf32>, %C: memref<4x10xf32>) {
    nest.for %n = 0 to 4 {
      nest.for %h = 0 to 10 {
        nest.for %r = 0 to 3 {
          nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 10, %vr : reduce = %r to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vn, %vh] : memref<4x10xf32>
          } {
            %two = arith.constant 2 : index
            %h2 = arith.muli %vh, %two : index
            %x = arith.addi %h2, %vr : index
            %a = memref.load %A[%vn, %x] : memref<4x21xf32>
            %w = memref.load %W[%vr] : memref<3xf32>
            %m = arith.mulf %a, %w : f32
            %c = memref.load %C[%vn, %vh] : memref<4x10xf32>
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vn, %vh] : memref<4x10xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %t = transform.nest.reindex %b "read" 0
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @conv
// CHECK: %[[T:.*]] = nest.alloc : memref<3x3x4x4xf32>
// CHECK: nest.block "C_read0"
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: nest.block "C"
// CHECK: memref.load %[[T]]
module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<4x21xf32>, %W: memref<3xf32>, %C: memref<4x10xf32>) {
    nest.for %n = 0 to 4 {
      nest.for %h = 0 to 10 {
        nest.for %r = 0 to 3 {
          nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 10, %vr : reduce = %r to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vn, %vh] : memref<4x10xf32>
          } {
            %two = arith.constant 2 : index
            %h2 = arith.muli %vh, %two : index
            %x = arith.addi %h2, %vr : index
            %a = memref.load %A[%vn, %x] : memref<4x21xf32>
            %w = memref.load %W[%vr] : memref<3xf32>
            %m = arith.mulf %a, %w : f32
            %c = memref.load %C[%vn, %vh] : memref<4x10xf32>
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vn, %vh] : memref<4x10xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %t = transform.nest.reindex_cache_read %b read 0 in "shared" to affine_map<(n, h, r) -> (r, h floordiv 4, n, h mod 4)>
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @conv
// CHECK: %[[T:.*]] = nest.alloc : memref<10x4xf32, "register">
// CHECK: nest.block "C" (%[[N:.*]] : spatial = %{{.*}} to 4, %[[H:.*]] : spatial = %{{.*}} to 10
// CHECK: memref.store %{{.*}}, %[[T]][%[[H]], %[[N]]]
// CHECK: memref.load %[[T]][%[[H]], %[[N]]]
// CHECK: memref.store %{{.*}}, %[[T]][%[[H]], %[[N]]]
// CHECK: nest.block "C_write" (%[[N:.*]] : spatial = %{{.*}} to 4, %[[H:.*]] : spatial = %{{.*}} to 10) {
// CHECK: memref.load %[[T]][%[[H]], %[[N]]]
// CHECK: memref.store %{{.*}}[%[[N]], %[[H]]]
module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<4x21xf32>, %W: memref<3xf32>, %C: memref<4x10xf32>) {
    nest.for %n = 0 to 4 {
      nest.for %h = 0 to 10 {
        nest.for %r = 0 to 3 {
          nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 10, %vr : reduce = %r to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vn, %vh] : memref<4x10xf32>
          } {
            %two = arith.constant 2 : index
            %h2 = arith.muli %vh, %two : index
            %x = arith.addi %h2, %vr : index
            %a = memref.load %A[%vn, %x] : memref<4x21xf32>
            %w = memref.load %W[%vr] : memref<3xf32>
            %m = arith.mulf %a, %w : f32
            %c = memref.load %C[%vn, %vh] : memref<4x10xf32>
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vn, %vh] : memref<4x10xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %t = transform.nest.reindex_cache_write %b write 0 in "register" to affine_map<(n, h, r) -> (h, n)>
    transform.yield
  }
}

// -----

// Points that the block leaves out would be outside of the buffer.
// CHECK-LABEL: nest.func @pad
// CHECK: nest.alloc [symbol(%[[N:.*]]), 3] : memref<?x3xf32>
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N]]) {
// CHECK: nest.for %[[R:.*]] = 0 to 3 {
// CHECK: nest.block "C_read0" (%{{.*}} : spatial = %[[I]] to symbol(%[[N]]), %{{.*}} : spatial = %[[R]] to 3) where (%[[I]] + %[[R]] - 1 >= 0, -%[[I]] - %[[R]] + symbol(%[[N]]) >= 0)
module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<?xf32>, %C: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.for %r = 0 to 3 {
        nest.block "C" (%v : spatial = %i to symbol(%n), %vr : ordered = %r to 3) where (%i + %r - 1 >= 0, symbol(%n) - %i - %r >= 0) {
          %one = arith.constant 1 : index
          %x = arith.addi %v, %vr : index
          %y = arith.subi %x, %one : index
          %a = memref.load %A[%y] : memref<?xf32>
          memref.store %a, %C[%v] : memref<?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %t = transform.nest.reindex %b "read" 0
    transform.yield
  }
}

// -----

// Written in the same nest: a row at a time.
// CHECK-LABEL: nest.func @later
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK: nest.block "B"
// CHECK: nest.for %[[J:.*]] = 0 to 4 {
// CHECK: nest.block "C_read0" (%{{.*}} : spatial = %[[I]] to 6, %{{.*}} : spatial = %[[J]] to 4) {
// CHECK: nest.block "C" (
module attributes {transform.with_named_sequence} {
  nest.func @later(%A: memref<6x4xf32>, %B: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          %m = arith.negf %a : f32
          memref.store %m, %B[%vi, %vj] : memref<6x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %B[%vi, %vj] : memref<6x4xf32>
          %m = arith.addf %a, %a : f32
          memref.store %m, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %t = transform.nest.reindex_cache_read %b read 0 in "shared" to affine_map<(i, j) -> (j, i)>
    transform.yield
  }
}
