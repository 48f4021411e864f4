// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// Jacobi's five-point means on two planes in turn, by skewed tiles of time.
//
// As written, each step streams both planes through the cache twice. Tiles of
// 8 steps x 16 rows stay in the second level: a plane is fetched once for 8
// steps. The loops, from the outside:
//
//   d            diagonals of tiles, one after the other
//     to         the tiles of a diagonal, on several threads
//       ti, ii   steps and slanted rows of a tile
//         jo, ji a row of B, then the row of A above it, by vectors
//
// SIZES: 45 19
// WRITES: 2
// UPDATES
// BENCH: 1300 40

// CHECK-LABEL: nest.func @jacobi_2d
// CHECK: nest.for %[[D:.*]] = 0 to
// CHECK-NEXT: nest.for %[[TO:.*]] = max({{.*}}) to min({{.*}}) parallel annotate {grain = 1 : i64} {
// CHECK-NEXT: nest.for %[[TI:.*]] = max({{.*}}) to min(8, {{.*}}) {
// CHECK-NEXT: nest.for %[[I:.*]] = max(%[[TO]] * 16 + %[[TI]] * 2 + 1, {{.*}}) to min(
// CHECK-NEXT: nest.for %[[JO:.*]] = 0 to
// CHECK-NEXT: nest.for %[[JI:.*]] = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "B" (
// CHECK: nest.block "B_tail" (
// CHECK: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "A" (
// CHECK: nest.block "A_tail" (
module attributes {transform.with_named_sequence} {
  nest.func @jacobi_2d(%A: memref<?x?xf64>, %B: memref<?x?xf64>, %n: index {nest.min = 8 : i64}, %steps: index)
      attributes {shapes = [affine_map<()[n, steps] -> (n, n)>, affine_map<()[n, steps] -> (n, n)>]} {
    nest.for %t = 0 to symbol(%steps) {
      nest.for %i = 1 to symbol(%n) - 1 {
        nest.for %j = 1 to symbol(%n) - 1 {
          nest.block "B" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
            %one = arith.constant 1 : index
            %fifth = arith.constant 0.2 : f64
            %up = arith.subi %vi, %one : index
            %down = arith.addi %vi, %one : index
            %left = arith.subi %vj, %one : index
            %right = arith.addi %vj, %one : index
            %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
            %a1 = memref.load %A[%vi, %left] : memref<?x?xf64>
            %a2 = memref.load %A[%vi, %right] : memref<?x?xf64>
            %a3 = memref.load %A[%down, %vj] : memref<?x?xf64>
            %a4 = memref.load %A[%up, %vj] : memref<?x?xf64>
            %s1 = arith.addf %a0, %a1 : f64
            %s2 = arith.addf %s1, %a2 : f64
            %s3 = arith.addf %s2, %a3 : f64
            %s4 = arith.addf %s3, %a4 : f64
            %r = arith.mulf %fifth, %s4 : f64
            memref.store %r, %B[%vi, %vj] : memref<?x?xf64>
          }
        }
      }
      nest.for %i = 1 to symbol(%n) - 1 {
        nest.for %j = 1 to symbol(%n) - 1 {
          nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
            %one = arith.constant 1 : index
            %fifth = arith.constant 0.2 : f64
            %up = arith.subi %vi, %one : index
            %down = arith.addi %vi, %one : index
            %left = arith.subi %vj, %one : index
            %right = arith.addi %vj, %one : index
            %b0 = memref.load %B[%vi, %vj] : memref<?x?xf64>
            %b1 = memref.load %B[%vi, %left] : memref<?x?xf64>
            %b2 = memref.load %B[%vi, %right] : memref<?x?xf64>
            %b3 = memref.load %B[%down, %vj] : memref<?x?xf64>
            %b4 = memref.load %B[%up, %vj] : memref<?x?xf64>
            %s1 = arith.addf %b0, %b1 : f64
            %s2 = arith.addf %s1, %b2 : f64
            %s3 = arith.addf %s2, %b3 : f64
            %s4 = arith.addf %s3, %b4 : f64
            %r = arith.mulf %fifth, %s4 : f64
            memref.store %r, %A[%vi, %vj] : memref<?x?xf64>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %a = transform.nest.get_block "A" in %root : !transform.any_op
    %t, %i, %j = transform.nest.get_loops %b : 3
    %ta, %ia, %ja = transform.nest.get_loops %a : 3
    // Rows by vectors; what does not fill one is a loop that follows.
    %jo, %ji = transform.nest.split %j by [-1, 8] tail "peel" : 2
    %jao, %jai = transform.nest.split %ja by [-1, 8] tail "peel" : 2
    // Row i of B, then row i - 1 of A: all that it needs of B is there.
    transform.nest.fuse_blocks %b, %a shift [1]
    // A step needs rows that the step before finished up to two rows later: on
    // slanted rows nothing points backwards, and tiles may be cut.
    transform.nest.skew %i along %t by 2
    %steps = transform.tune.knob<"steps"> = 8 : i64 from options = [2, 4, 8, 16, 32] -> !transform.param<i64>
    %rows = transform.tune.knob<"rows"> = 16 : i64 from options = [8, 16, 32, 64] -> !transform.param<i64>
    %to, %ti = transform.nest.split %t by [-1, %steps] : 2
    %io, %ii = transform.nest.split %i by [-1, %rows] : 2
    transform.nest.reorder %to, %io, %ti, %ii
    // A tile needs those before it in time and in space; those of a diagonal run
    // at once.
    transform.nest.wavefront %to, %io grain 1
    transform.nest.vectorize %ji
    transform.nest.vectorize %jai
    transform.yield
  }
}
