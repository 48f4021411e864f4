// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Bounds that depend on the outer loop make no rectangle: the inner loop runs
// inside of the outer one's body.
//
// CHECK: llvm.func hidden @triangle(
// CHECK: %[[GRAIN:.*]] = arith.constant 1 : i64
// CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}, %[[GRAIN]],
// CHECK-NOT: llvm.call
// CHECK: llvm.func hidden @triangle_par0(
// CHECK: scf.for
// CHECK-NOT: arith.divui
// CHECK: %[[I:.*]] = arith.addi
// CHECK: scf.for %{{.*}} = %{{.*}} to %[[I]] step
// CHECK-NOT: llvm.call
nest.func @triangle(%A: memref<8x8xf32>) {
  nest.for %i = 0 to 8 parallel {
    nest.for %j = 0 to %i parallel annotate {grain = 16 : i64} {
      nest.block "A" (%vi : spatial = %i to 8, %vj : spatial = %j to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%vi, %vj] : memref<8x8xf32>
      }
    }
  }
}
