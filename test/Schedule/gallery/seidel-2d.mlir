// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// Seidel's nine-point means in place: every point waits for its left neighbour,
// then for a division, so that as written nothing overlaps. Two wavefronts give
// work to all units:
//
//   d          diagonals of bands of 8 rows, across steps
//     t        the bands of a diagonal, on several threads
//       j      columns, slanted by two a row
//         ii   the rows of the band, unrolled: 8 independent divisions
//
// The slanted columns start and end with fewer rows, and the last band may be
// lower: separate_full_partial takes these out, so that the inner loop is free of
// conditions.
//
// SIZES: 37 7
// UPDATES
// BENCH: 2000 20

// CHECK-LABEL: nest.func @seidel_2d
// CHECK: nest.for %[[D:.*]] = 0 to
// The last band.
// CHECK: nest.block "A_head" ({{.*}}) where (
// The others: some rows, all of them, some again.
// CHECK: nest.for %[[T:.*]] = max({{.*}}) to min({{.*}}) parallel annotate {grain = 1 : i64} {
// CHECK: nest.block "A_head_1"
// CHECK: nest.for %[[J:.*]] = 15 to symbol(%[[N:.*]]) - 1 {
// CHECK-NEXT: nest.for %[[I:.*]] = 0 to 8 unroll {
// CHECK-NEXT: nest.block "A" (%{{.*}} : ordered = %[[T]] to {{.*}}, %{{.*}} : ordered = %[[I]] + %[[D]] * 8 - %[[T]] * 16 + 1 to {{.*}}, %{{.*}} : ordered = %[[I]] * -2 + %[[J]] to symbol(%[[N]])) {
// CHECK: nest.for %{{.*}} = symbol(%[[N]]) - 1 to symbol(%[[N]]) + 13 {
// CHECK: nest.block "A_tail"
module attributes {transform.with_named_sequence} {
  nest.func @seidel_2d(%A: memref<?x?xf64>, %n: index {nest.min = 8 : i64}, %steps: index)
      attributes {shapes = [affine_map<()[n, steps] -> (n, n)>]} {
    nest.for %t = 0 to symbol(%steps) {
      nest.for %i = 1 to symbol(%n) - 1 {
        nest.for %j = 1 to symbol(%n) - 1 {
          nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
            %one = arith.constant 1 : index
            %nine = arith.constant 9.0 : f64
            %up = arith.subi %vi, %one : index
            %down = arith.addi %vi, %one : index
            %left = arith.subi %vj, %one : index
            %right = arith.addi %vj, %one : index
            %a0 = memref.load %A[%up, %left] : memref<?x?xf64>
            %a1 = memref.load %A[%up, %vj] : memref<?x?xf64>
            %a2 = memref.load %A[%up, %right] : memref<?x?xf64>
            %a3 = memref.load %A[%vi, %left] : memref<?x?xf64>
            %a4 = memref.load %A[%vi, %vj] : memref<?x?xf64>
            %a5 = memref.load %A[%vi, %right] : memref<?x?xf64>
            %a6 = memref.load %A[%down, %left] : memref<?x?xf64>
            %a7 = memref.load %A[%down, %vj] : memref<?x?xf64>
            %a8 = memref.load %A[%down, %right] : memref<?x?xf64>
            %s1 = arith.addf %a0, %a1 : f64
            %s2 = arith.addf %s1, %a2 : f64
            %s3 = arith.addf %s2, %a3 : f64
            %s4 = arith.addf %s3, %a4 : f64
            %s5 = arith.addf %s4, %a5 : f64
            %s6 = arith.addf %s5, %a6 : f64
            %s7 = arith.addf %s6, %a7 : f64
            %s8 = arith.addf %s7, %a8 : f64
            %r = arith.divf %s8, %nine : f64
            memref.store %r, %A[%vi, %vj] : memref<?x?xf64>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %a = transform.nest.get_block "A" in %root : !transform.any_op
    %t, %i, %j = transform.nest.get_loops %a : 3
    %rows = transform.tune.knob<"rows"> = 8 : i64 from options = [4, 8, 16] -> !transform.param<i64>
    %io, %ii = transform.nest.split %i by [-1, %rows] : 2
    // A band of rows needs the one above of its own step and the one below of the
    // step before: with i + 2 t constant, bands are independent.
    transform.nest.skew %io along %t by 1
    transform.nest.wavefront %t, %io grain 1
    // Within a band: a point needs its left neighbour, and the row above up to one
    // column further. On columns slanted by two a row, rows are independent.
    transform.nest.skew %j along %ii by 2
    transform.nest.reorder %j, %ii
    // Bands of all rows, without the last one; columns that all rows have.
    %full, %last = transform.nest.separate_full_partial %t
    %middle, %ends = transform.nest.separate_full_partial %j
    transform.nest.unroll %ii
    transform.yield
  }
}
