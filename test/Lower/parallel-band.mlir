// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Parallel loops directly inside each other are one call over the product of
// their counts, with the grain of the innermost; the body finds its indices by a
// division. No count is negative: two empty loops are no full one.
//
// CHECK: llvm.func hidden @band(%[[CALL:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %[[N:.*]]: i64)
// CHECK: %[[NI:.*]] = arith.index_cast %[[N]]
// CHECK: %[[ROWS:.*]] = arith.subi %[[NI]], %c2
// CHECK: %[[OUTER:.*]] = arith.maxsi %[[ROWS]]
// CHECK: %[[INNER:.*]] = arith.maxsi
// CHECK: %[[ALL:.*]] = arith.muli %[[OUTER]], %[[INNER]]
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[ALL]]
// CHECK: %[[GRAIN:.*]] = arith.constant 16 : i64
// CHECK: %[[BODY:.*]] = llvm.mlir.addressof @band_par0
// CHECK: %[[STATUS:.*]] = llvm.call %{{.*}}(%[[CALL]], %[[COUNT]], %[[GRAIN]], %{{.*}}, %[[BODY]], %{{.*}}) {{.*}} -> i32
// CHECK-NOT: llvm.call
// CHECK: llvm.func hidden @band_par0(%{{.*}}: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %{{.*}}: i32) -> i32
// CHECK-DAG: %[[FROM:.*]] = arith.index_cast %[[BEGIN]]
// CHECK-DAG: %[[TO:.*]] = arith.index_cast %[[END]]
// CHECK: scf.for %[[F:.*]] = %[[FROM]] to %[[TO]] step
// CHECK-NEXT: %[[J:.*]] = arith.remui %[[F]], %[[EXTENT:.*]] : index
// CHECK-NEXT: %[[I:.*]] = arith.divui %[[F]], %[[EXTENT]] : index
// CHECK-NOT: scf.for
// CHECK: llvm.return
nest.func @band(%A: memref<?x6xf32>, %B: memref<?x6xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0, 6)>, affine_map<()[s0] -> (s0, 6)>]} {
  nest.for %i = 2 to symbol(%n) parallel annotate {grain = 1 : i64} {
    nest.for %j = 0 to 6 parallel annotate {grain = 16 : i64} {
      nest.block "B" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to 6) {
        %a = memref.load %A[%vi, %vj] : memref<?x6xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %B[%vi, %vj] : memref<?x6xf32>
      }
    }
  }
}
