// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Padding: 100 in panels of 16 are 112.
// CHECK-LABEL: nest.func @f
// CHECK-SAME: memref<7x16xf32>
// CHECK-SAME: relayouts = [{arg = 0 : i64, kernel = @pack_f_0}]
// CHECK: nest.for %[[O:.*]] = 0 to 7 {
// CHECK-NEXT: nest.for %[[N:.*]] = 0 to 16 {
// CHECK-NEXT: nest.block "B" (%[[Q:.*]] : spatial = %[[O]] to 7, %[[R:.*]] : spatial = %[[N]] to 16) where
// CHECK-NOT: arith.div
// CHECK: memref.load %{{.*}}[%[[Q]], %[[R]]]
// CHECK: nest.func @pack_f_0(%{{.*}}: memref<100xf32>, %{{.*}}: memref<7x16xf32>)
// CHECK: nest.block "pad"
// CHECK: nest.block "pack" {{.*}} where
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    %o, %n = transform.nest.split %i by [-1, 16] : 2
    transform.nest.transform_layout %b "read" 0 to affine_map<(d0) -> (d0 floordiv 16, d0 mod 16)>
    transform.yield
  }
}

// -----

// A buffer of the kernel, and a loop that does not follow the layout.
// CHECK-LABEL: nest.func @f
// CHECK: nest.alloc : memref<4x16xf32>
// CHECK: nest.block "P"
// CHECK: arith.remui
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<64xf32>, %C: memref<64xf32>) {
    %T = nest.alloc : memref<64xf32>
    nest.for %i = 0 to 64 {
      nest.block "P" (%v : spatial = %i to 64) {
        %a = memref.load %A[%v] : memref<64xf32>
        %m = arith.mulf %a, %a : f32
        memref.store %m, %T[%v] : memref<64xf32>
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 64) {
          %t = memref.load %T[%v] : memref<64xf32>
          %n = arith.negf %t : f32
          memref.store %n, %C[%v] : memref<64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.transform_layout %b "write" 0 to affine_map<(d0) -> (d0 mod 4, d0 floordiv 4)>
    transform.yield
  }
}

// -----

// Dims that become one: no element is left out, none is added.
// CHECK-LABEL: nest.func @flat
// CHECK: nest.alloc : memref<32xf32>
// CHECK: nest.block "P" (%[[V:.*]] : spatial = {{.*}}, %[[W:.*]] : spatial
// CHECK: %[[M:.*]] = arith.muli %[[V]], %c8
// CHECK: %[[S:.*]] = arith.addi %[[M]], %[[W]]
// CHECK: memref.load %arg0[%[[S]]] : memref<32xf32>
// CHECK: memref.store %{{.*}}, %{{.*}}[%{{.*}}] : memref<32xf32>
// CHECK: nest.func @pack_flat_0
// CHECK: nest.block "pack" (%[[V:.*]] : spatial = {{.*}} to 32)
// CHECK-DAG: arith.divui %[[V]]
// CHECK-DAG: arith.remui %[[V]]
module attributes {transform.with_named_sequence} {
  nest.func @flat(%A: memref<4x8xf32>, %C: memref<4x8xf32>) {
    %T = nest.alloc : memref<4x8xf32>
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 8 {
        nest.block "P" (%v : spatial = %i to 4, %w : spatial = %j to 8) {
          %a = memref.load %A[%v, %w] : memref<4x8xf32>
          memref.store %a, %T[%v, %w] : memref<4x8xf32>
        }
      }
    }
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 8 {
        nest.block "C" (%v : spatial = %i to 4, %w : spatial = %j to 8) {
          %t = memref.load %T[%v, %w] : memref<4x8xf32>
          memref.store %t, %C[%v, %w] : memref<4x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.transform_layout %p "write" 0 to affine_map<(d0, d1) -> (d0 * 8 + d1)>
    transform.nest.transform_layout %p "read" 0 to affine_map<(d0, d1) -> (d0 * 8 + d1)>
    transform.yield
  }
}

// -----

// A digit of a digit that has one value: T takes 4 rows of 3, then the 3 in
// rows of 3, so (v mod 3) floordiv 3.
// CHECK-LABEL: nest.func @f
// CHECK: nest.alloc : memref<4x1x3xf32>
// CHECK: nest.block "P" (%[[V:.*]] : spatial
// CHECK-DAG: %[[Z:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[Q:.*]] = arith.divui %[[V]]
// CHECK: memref.store %{{.*}}, %{{.*}}[%[[Q]], %[[Z]], %{{.*}}]
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<10xf32>, %B: memref<10xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 10 {
      nest.block "P" (%v : spatial = %i to 10) {
        %a = memref.load %A[%v] : memref<10xf32>
        memref.store %a, %T[%v] : memref<10xf32>
      }
    }
    nest.for %i = 0 to 10 {
      nest.block "C" (%v : spatial = %i to 10) {
        %t = memref.load %T[%v] : memref<10xf32>
        memref.store %t, %B[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    transform.nest.transform_layout %p "write" 0 to affine_map<(d0) -> (d0 floordiv 3, d0 mod 3)>
    transform.nest.transform_layout %p "write" 0 to affine_map<(d0, d1) -> (d0, d1 floordiv 3, d1 mod 3)>
    transform.yield
  }
}
