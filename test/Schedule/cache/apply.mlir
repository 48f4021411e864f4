// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @f
// CHECK: %[[T:.*]] = nest.alloc : memref<100xf32>
// CHECK: nest.block "B_read0"
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: nest.block "B"
// CHECK: memref.load %[[T]]
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
    %c = transform.nest.cache_read %b read 0 in "shared"
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: %[[T:.*]] = nest.alloc : memref<100xf32, "register">
// CHECK: nest.block "B"
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: nest.block "B_write"
// CHECK: memref.load %[[T]]
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
    %c = transform.nest.cache_write %b write 0 in "register"
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @f
// CHECK: nest.alloc : memref<64xf32, "register">
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
    transform.nest.set_scope %b write 0 in "register"
    transform.yield
  }
}

// -----

// Written in the same nest: one row at a time.
// CHECK-LABEL: nest.func @later
// CHECK: %[[T:.*]] = nest.alloc : memref<6x4xf32>
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK: nest.block "B"
// CHECK: nest.for %[[J:.*]] = 0 to 4 {
// CHECK: nest.block "C_read0" (%{{.*}} : spatial = %[[I]] to 6, %{{.*}} : spatial = %[[J]] to 4) {
// CHECK: nest.block "C" (
// CHECK: memref.load %[[T]]
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
    %t = transform.nest.cache_read %b read 0 in "shared"
    transform.yield
  }
}

// -----

// CHECK-LABEL: nest.func @later
// CHECK: %[[T:.*]] = nest.alloc : memref<6x4xf32>
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK: nest.block "B" (
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: nest.block "B_write" (%{{.*}} : spatial = %[[I]] to 6
// CHECK: nest.block "C" (
// CHECK: memref.load %arg1
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
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %t = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// Its reader as well.
// CHECK-LABEL: nest.func @later
// CHECK: %[[T:.*]] = nest.alloc : memref<6x4xf32>
// CHECK: nest.block "B" (
// CHECK: memref.store %{{.*}}, %[[T]]
// CHECK: nest.block "C" (
// CHECK: memref.load %[[T]]
// CHECK: nest.for %[[I:.*]] = 0 to 6 {
// CHECK: nest.block "B_write" (%{{.*}} : spatial = %[[I]] to 6
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
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %t = transform.nest.cache_write %b write 0 in "shared" for %c
    transform.yield
  }
}

// -----

// Where the block does not run, there is nothing to copy.
// CHECK-LABEL: nest.func @outer
// CHECK: nest.for %[[I:.*]] = 0 to 8 {
// CHECK: nest.block "B_write" (%{{.*}} : spatial = %[[I]] to 6, %{{.*}}) where (-%[[I]] + 5 >= 0)
// CHECK: nest.block "C" (
module attributes {transform.with_named_sequence} {
  nest.func @outer(%A: memref<6x4xf32>, %B: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) where (5 - %i >= 0) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          memref.store %a, %B[%vi, %vj] : memref<6x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) where (5 - %i >= 0) {
          %b = memref.load %B[%vi, %vj] : memref<6x4xf32>
          memref.store %b, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %t = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}
