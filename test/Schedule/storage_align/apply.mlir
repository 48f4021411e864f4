// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: nest.alloc {align = array<i64: 0, 32, 8>} : memref<16x64xf32>
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    %T = nest.alloc : memref<16x64xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    transform.nest.storage_align %b write 0 axis 0 factor 32 offset 8
    transform.yield
  }
}

// -----

// The last one counts.
// CHECK-LABEL: nest.func @f
// CHECK: nest.alloc {align = array<i64: 0, 16, 1>} : memref<16x64xf32>
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    %T = nest.alloc : memref<16x64xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    transform.nest.storage_align %b write 0 axis 0 factor 32 offset 8
    transform.nest.storage_align %b write 0 axis 0 factor 16 offset 1
    transform.yield
  }
}
