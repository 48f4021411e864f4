// RUN: nestor-opt %s --transform-interpreter | FileCheck %s
// RUN: nestor-opt %s --transform-interpreter --lower-to-loops | FileCheck %s --check-prefix=LOOPS

// The later request for the same thing replaces the earlier one.
// CHECK: nest.for %{{.*}} = 0 to 8 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to symbol(%{{.*}}) annotate {prefetch = [{block = "B", distance = 4 : i64, read = 0 : i64}]} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 32 {

// A row of 32 numbers is two lines; the iteration asked for is at most the last.
// LOOPS: scf.for %[[K:.*]] =
// LOOPS: arith.minsi
// LOOPS-COUNT-2: "llvm.intr.prefetch"
// LOOPS-NOT: "llvm.intr.prefetch"
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?x32xf32>, %B: memref<8x?x32xf32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (n, 32)>, affine_map<()[n] -> (8, n, 32)>]} {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to symbol(%n) {
        nest.for %j = 0 to 32 {
          nest.block "B" (%u : spatial = %i to 8, %w : spatial = %k to symbol(%n), %v : spatial = %j to 32) {
            %a = memref.load %A[%w, %v] : memref<?x32xf32>
            memref.store %a, %B[%u, %w, %v] : memref<8x?x32xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %k, %j = transform.nest.get_loops %b : 3
    transform.nest.prefetch %b read 0 in %k distance [2]
    transform.nest.prefetch %b read 0 in %k distance [4]
    transform.yield
  }
}
