// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @skewed
// CHECK: nest.for %[[I:.*]] = 0 to 4 {
// CHECK-NEXT: nest.for %[[J:.*]] = %[[I]] * 2 to %[[I]] * 2 + 8 {
// CHECK-NEXT: nest.block "B" (%{{.*}} : ordered = %[[I]] to 4, %{{.*}} : ordered = %[[I]] * -2 + %[[J]] to 8)
module attributes {transform.with_named_sequence} {
  nest.func @skewed(%A: memref<4x8xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %j = 0 to 8 {
        nest.block "B" (%u : ordered = %i to 4, %v : ordered = %j to 8) {
          %a = memref.load %A[%u, %v] : memref<4x8xf32>
          memref.store %a, %A[%u, %v] : memref<4x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.skew %j along %i by 2
    transform.yield
  }
}

// -----

// A triangle turned: j < i < 8 with j outside.
// CHECK-LABEL: nest.func @triangle
// CHECK: nest.for %[[J:.*]] = 0 to 7 {
// CHECK-NEXT: nest.for %[[I:.*]] = %[[J]] + 1 to 8 {
module attributes {transform.with_named_sequence} {
  nest.func @triangle(%A: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.reorder %j, %i
    transform.yield
  }
}

// -----

// Backwards is fine where no iteration needs another.
// CHECK-LABEL: nest.func @backwards
// CHECK: nest.for %[[I:.*]] = 2 to symbol(%{{.*}}) {
// CHECK-NEXT: (%{{.*}} : spatial = -%[[I]] + symbol(%{{.*}}) + 1 to symbol
module attributes {transform.with_named_sequence} {
  nest.func @backwards(%A: memref<?xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0)>]} {
    nest.for %i = 2 to symbol(%n) {
      nest.block "B" (%u : spatial = %i to symbol(%n)) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    transform.nest.reverse %i
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @shifted
// CHECK: nest.for %[[I:.*]] = 0 to 9 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[I]] to 8) where (-%[[I]] + 7 >= 0)
// CHECK: nest.block "Q" (%{{.*}} : spatial = %[[I]] - 1 to 8) where (%[[I]] - 1 >= 0)
module attributes {transform.with_named_sequence} {
  nest.func @shifted(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    %i = transform.nest.get_loops %q : 1
    transform.nest.shift %q by 1 in %i
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @cut
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to min(8, %[[I]] + symbol(%{{.*}}) + 1) {
// CHECK-NEXT: nest.block "B"
// CHECK: nest.for %{{.*}} = %[[I]] + symbol(%{{.*}}) + 1 to 8 {
// CHECK-NEXT: nest.block "B_rest"
module attributes {transform.with_named_sequence} {
  nest.func @cut(%A: memref<8x8xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (8, 8)>]} {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %A[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    %first, %second = transform.nest.split_domain %j where affine_map<(i, j)[n] -> (i + n - j)>
    transform.yield
  }
}

// -----

// Gauss-Seidel: each point needs its neighbours above and to the left.
// CHECK-LABEL: nest.func @seidel
// CHECK: nest.for %[[D:.*]] = 0 to 15 {
// CHECK-NEXT: nest.for %[[I:.*]] = max(%[[D]] - 7, 0) to min(%[[D]] + 1, 8) parallel annotate {grain = 4 : i64} {
// CHECK-NEXT: nest.block "B" (%{{.*}} : ordered = %[[I]] to 8, %{{.*}} : ordered = -%[[I]] + %[[D]] to 8)
module attributes {transform.with_named_sequence} {
  nest.func @seidel(%A: memref<9x9xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        nest.block "B" (%u : ordered = %i to 8, %v : ordered = %j to 8) {
          %one = arith.constant 1 : index
          %u1 = arith.addi %u, %one : index
          %v1 = arith.addi %v, %one : index
          %a = memref.load %A[%u, %v1] : memref<9x9xf32>
          %b = memref.load %A[%u1, %v] : memref<9x9xf32>
          %c = arith.addf %a, %b : f32
          memref.store %c, %A[%u1, %v1] : memref<9x9xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.wavefront %i, %j grain 4
    transform.yield
  }
}

// -----

// A block shifted past the others, cut off there: the loop comes apart.
// CHECK-LABEL: nest.func @apart
// CHECK: nest.for %[[I:.*]] = max(symbol(%[[N:.*]]) - 4, -4) to 0 {
// CHECK-NEXT: nest.block "P" (%{{.*}} : spatial = %[[I]] + 4 to 8)
// CHECK-NOT: nest.block "Q
// CHECK: nest.for %[[J:.*]] = max(symbol(%[[N]]) - 4, 0) to 4 {
// CHECK-NEXT: nest.block "Q_rest" (%{{.*}} : spatial = %[[J]] to 8) where (%[[J]] - symbol(%[[N]]) >= 0) {
// CHECK-NOT: nest.block "P
module attributes {transform.with_named_sequence} {
  nest.func @apart(%A: memref<8xf32>, %B: memref<8xf32>, %n: index) {
    nest.for %i = max(symbol(%n), 0) to 4 {
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
      nest.block "Q" (%u : spatial = %i to 8) {
        %z = arith.constant 1.0 : f32
        memref.store %z, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    transform.nest.shift %p by -4 in %i
    %first, %second = transform.nest.split_domain %i where affine_map<(i) -> (-1 - i)>
    transform.yield
  }
}
