// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Dividing and inferred factors, and a predicate where they do not divide.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[IO:.*]] = 0 to 7 {
// CHECK: nest.for %[[II:.*]] = 0 to 16 {
// CHECK: nest.block "B" (%{{.*}} : spatial = %[[IO]] * 16 + %[[II]] to 100) where (%[[IO]] * -16 - %[[II]] + 99 >= 0)
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
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[A:.*]] = 0 to 5 {
// CHECK: nest.for %[[B:.*]] = 0 to 10 {
// CHECK: nest.for %[[C:.*]] = 0 to 2 {
// CHECK: nest.block "B" (%{{.*}} : spatial = %[[A]] * 20 + %[[B]] * 2 + %[[C]] to 100) {
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
    %k = transform.tune.knob<"t"> = 2 : i64 from options = [2, 4] -> !transform.param<i64>
    %o, %m, %n = transform.nest.split %i by [5, -1, %k] : 3
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[O:.*]] = 0 to 6 {
// CHECK: nest.for %[[I:.*]] = 0 to 16 {
// CHECK: nest.block "B" (%{{.*}} : spatial = %[[O]] * 16 + %[[I]] to 100) {
// CHECK: nest.for %[[T:.*]] = 96 to 100 {
// CHECK: nest.block "B_tail" (%{{.*}} : spatial = %[[T]] to 100) {
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
    %o, %l = transform.nest.split %i by [-1, 16] tail "peel" : 2
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to symbol(%{{.*}}) floordiv 4 {
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK: nest.for %{{.*}} = (symbol(%{{.*}}) floordiv 4) * 4 to symbol(%{{.*}}) {
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
    %o, %l = transform.nest.split %i by [-1, 4] tail "peel" : 2
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.for %{{.*}} = 0 to 5 {
// CHECK: nest.for %{{.*}} = 0 to 20 {
// CHECK-NOT: where
// CHECK-NOT: _tail
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
    %o, %l = transform.nest.split %i by [-1, 20] tail "perfect" : 2
    transform.yield
  }
}

// -----

// No tile is before the start where a row is empty.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.for %{{.*}} = max({{.*}}, %[[I]]) to 4 {
// CHECK: nest.block "B_tail"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = %i to 4 {
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
    %o, %l = transform.nest.split %j by [-1, 3] tail "peel" : 2
    transform.yield
  }
}

// -----

// Tiles start at multiples of their size; the bounds cut them.
// CHECK-LABEL: nest.func @f
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.for %[[O:.*]] = max({{.*}}) to min({{.*}}) {
// CHECK: nest.for %[[M:.*]] = max({{.*}}%[[O]] * 3) to min({{.*}}%[[O]] * 3 + 3) {
// CHECK: nest.for %[[L:.*]] = max({{.*}}%[[M]] * 2) to min({{.*}}%[[M]] * 2 + 2) {
// CHECK: nest.block "B" (%{{.*}} : spatial = %[[I]] to 8, %{{.*}} : spatial = %[[L]] to 4) {
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = max(0, %i - 2) to min(%i + 1, 4) {
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
    %o, %m, %l = transform.nest.split %j by [-1, 3, 2] : 3
    transform.yield
  }
}

// -----

// The range of an inner loop is that of its new bounds: the remainder stays.
// CHECK-LABEL: nest.func @band
// CHECK: nest.block "B" (%{{.*}} : spatial = %[[J:.*]] floordiv 2 to 3, %{{.*}} : spatial = %[[J]] mod 2 to 2)
module attributes {transform.with_named_sequence} {
  nest.func @band(%A: memref<3x2xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = max(%i - 1, 0) to min(%i + 1, 6) {
        nest.block "B" (%u : spatial = %j floordiv 2 to 3, %v : spatial = %j mod 2 to 2) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<3x2xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %o, %in = transform.nest.split %i by [-1, 4] : 2
    transform.yield
  }
}

// -----

// An extent that varies, and is negative at first: one factor left out covers it.
// CHECK-LABEL: nest.func @triangle_inferred
// CHECK: nest.for %[[I:.*]] = 0 to 37 {
// CHECK: nest.for %[[O:.*]] = 0 to (%[[I]] - 4) ceildiv 4 {
// CHECK: nest.for %[[N:.*]] = 0 to 4 {
// CHECK: nest.block "T" (%{{.*}} : spatial = %[[I]] to 37, %{{.*}} : spatial = %[[O]] * 4 + %[[N]] + 5 to 37) where (%[[I]] - %[[O]] * 4 - %[[N]] - 5 >= 0)
module attributes {transform.with_named_sequence} {
  nest.func @triangle_inferred(%A: memref<37x37xf32>) {
    nest.for %i = 0 to 37 {
      nest.for %j = 5 to %i + 1 {
        nest.block "T" (%v : spatial = %i to 37, %w : spatial = %j to 37) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%v, %w] : memref<37x37xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %o, %n = transform.nest.split %j by [-1, 4] : 2
    transform.yield
  }
}
