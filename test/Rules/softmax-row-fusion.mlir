// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// The four steps of softmax meet in one loop over the rows, so that a row of
// temporaries is all there is; the two reductions keep four vectors of partial
// results in registers and combine them once a row. Two vectors of exponentials
// at a time share the constants of the polynomial.
//
// CHECK: nest.func @softmax
// CHECK-NEXT: nest.for %{{.*}} = 0 to 64 {
// CHECK-DAG: nest.alloc : memref<1xf32>
// CHECK-DAG: nest.alloc : memref<1x96xf32>
// CHECK-DAG: nest.alloc : memref<1x32xf32, "register">
// CHECK: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "max_rf_init"
// CHECK: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "max_rf" (
// CHECK: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "max" (
// CHECK: nest.for %{{.*}} = 0 to 6 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK-NEXT: nest.block "exp"
// CHECK: nest.block "sum_rf_init"
// CHECK: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "sum_rf" (
// CHECK: nest.for %{{.*}} = 0 to 32 vectorize {
// CHECK-NEXT: nest.block "sum" (
// CHECK: nest.for %{{.*}} = 0 to 12 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "div"
nest.func @softmax(%X: memref<64x96xf32>, %Y: memref<64x96xf32>) {
  %M = nest.alloc : memref<64xf32>
  %E = nest.alloc : memref<64x96xf32>
  %S = nest.alloc : memref<64xf32>
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.block "max" (%vi : spatial = %i to 64, %vj : reduce = %j to 96) init {
        %lowest = arith.constant 0xFF800000 : f32
        memref.store %lowest, %M[%vi] : memref<64xf32>
      } {
        %x = memref.load %X[%vi, %vj] : memref<64x96xf32>
        %m = memref.load %M[%vi] : memref<64xf32>
        %r = arith.maximumf %m, %x : f32
        memref.store %r, %M[%vi] : memref<64xf32>
      }
    }
  }
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.block "exp" (%vi : spatial = %i to 64, %vj : spatial = %j to 96) {
        %x = memref.load %X[%vi, %vj] : memref<64x96xf32>
        %m = memref.load %M[%vi] : memref<64xf32>
        %d = arith.subf %x, %m : f32
        %e = math.exp %d : f32
        memref.store %e, %E[%vi, %vj] : memref<64x96xf32>
      }
    }
  }
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.block "sum" (%vi : spatial = %i to 64, %vj : reduce = %j to 96) init {
        %z = arith.constant 0.0 : f32
        memref.store %z, %S[%vi] : memref<64xf32>
      } {
        %e = memref.load %E[%vi, %vj] : memref<64x96xf32>
        %s = memref.load %S[%vi] : memref<64xf32>
        %r = arith.addf %s, %e : f32
        memref.store %r, %S[%vi] : memref<64xf32>
      }
    }
  }
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.block "div" (%vi : spatial = %i to 64, %vj : spatial = %j to 96) {
        %e = memref.load %E[%vi, %vj] : memref<64x96xf32>
        %s = memref.load %S[%vi] : memref<64xf32>
        %r = arith.divf %e, %s : f32
        memref.store %r, %Y[%vi, %vj] : memref<64x96xf32>
      }
    }
  }
}
