// RUN: nestor-opt %s --transform-interpreter | FileCheck %s

// A = U'U with U in the upper triangle, by tiles.
//
// As written each element is a sum over a column of U, from memory. Row by row of
// 32 x 32 tiles, the steps above a tile are a product of two blocks of U, where
// almost all of the work is; the rest is a small factorisation on the diagonal and
// a triangular solve right of it:
//
//   io                     rows of tiles
//     jo = io              on the diagonal (a triangle): product, factorisation
//     jo > io              full tiles: product by 4 x 8 registers, solve by vectors
//     the last jo          tiles that the size cuts
//
// shift and split_domain take the product out of the loops that it shares with the
// rest, separate_full_partial the full tiles out of the others.
//
// SIZES: 101
// UPDATES
// INPUTS: dominant
// TOLERANCE: 1e-12
// BENCH: 2000

// CHECK-LABEL: nest.func @cholesky
// CHECK: nest.for %[[I:.*]] = 0 to symbol(%[[N:.*]]) ceildiv 32 {
// On the diagonal.
// CHECK-NEXT: nest.for %{{.*}} = %[[I]] to %[[I]] + 1 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to %[[I]] * 32 {
// CHECK: nest.block "sum" (
// CHECK: nest.block "root_rest_rest" (
// Full tiles: no bound or predicate is left.
// CHECK: nest.for %{{.*}} = %[[I]] + 1 to symbol(%[[N]]) floordiv 32 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to %[[I]] * 32 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 vectorize {
// CHECK-NEXT: nest.block "sum_rest" (
// CHECK-NOT: where
// CHECK: nest.block "quotient_rest_rest_rest" (
// The last column of tiles.
// CHECK: nest.for %{{.*}} = max(%[[I]] + 1, symbol(%[[N]]) floordiv 32) to symbol(%[[N]]) ceildiv 32 {
// CHECK: nest.block "sum_rest_tail" ({{.*}}) where (
// CHECK: nest.block "quotient_rest_rest_rest_tail" (
module attributes {transform.with_named_sequence} {
  nest.func @cholesky(%A: memref<?x?xf64>, %U: memref<?x?xf64>, %n: index {nest.min = 1 : i64})
      attributes {shapes = [affine_map<()[n] -> (n, n)>, affine_map<()[n] -> (n, n)>]} {
    %T = nest.alloc [symbol(%n), symbol(%n)] : memref<?x?xf64>
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = %i to symbol(%n) {
        nest.block "start" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
          %a = memref.load %A[%vi, %vj] : memref<?x?xf64>
          memref.store %a, %T[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = %i to symbol(%n) {
        nest.for %k = 0 to %i {
          nest.block "sum" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n), %vk : reduce = %k to symbol(%n)) {
            %a = memref.load %T[%vi, %vj] : memref<?x?xf64>
            %b = memref.load %U[%vk, %vi] : memref<?x?xf64>
            %c = memref.load %U[%vk, %vj] : memref<?x?xf64>
            %p = arith.mulf %b, %c : f64
            %s = arith.subf %a, %p : f64
            memref.store %s, %T[%vi, %vj] : memref<?x?xf64>
          }
        }
        nest.block "root" (%vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) where (%i - %j == 0) {
          %a = memref.load %T[%vi, %vi] : memref<?x?xf64>
          %r = math.sqrt %a : f64
          memref.store %r, %U[%vi, %vi] : memref<?x?xf64>
        }
        nest.block "quotient" (%vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) where (%j - %i - 1 >= 0) {
          %a = memref.load %T[%vi, %vj] : memref<?x?xf64>
          %d = memref.load %U[%vi, %vi] : memref<?x?xf64>
          %q = arith.divf %a, %d : f64
          memref.store %q, %U[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %sum : 3
    // Tiles of rows and columns; a row of tiles starts at the diagonal.
    %io, %ii = transform.nest.split %i by [-1, 32] : 2
    %jo, %ji = transform.nest.split %j by [-1, 32] : 2
    transform.nest.reorder %io, %jo, %ii, %ji

    // Steps above the tile need nothing of the tile itself. They become a nest of
    // their own: moved a whole tile earlier, where nothing else runs, first among
    // the columns and then among the rows, and cut off there.
    %above, %within = transform.nest.split_domain %k where affine_map<(io, jo, ii, ji, k) -> (io * 32 - 1 - k)>
    transform.nest.shift %sum by -32 in %ji
    %sums, %others = transform.nest.split_domain %ji where affine_map<(io, jo, ii, ji) -> (jo * 32 - 1 - ji)>
    transform.nest.shift %sum by -32 in %ii
    %product, %solve = transform.nest.split_domain %ii where affine_map<(io, jo, ii) -> (-1 - ii)>

    // The tile on the diagonal, a triangle with the roots: by rows of U at least.
    %diagonal, %right = transform.nest.split_domain %jo where affine_map<(io, jo) -> (io - jo)>
    %di, %dj, %dii, %dji, %dk = transform.nest.get_loops %sum : 5
    transform.nest.reorder %dk, %dii, %dji

    // Right of it, the full tiles apart from the last column of tiles.
    %tile = transform.nest.get_block "sum_rest" in %root : !transform.any_op
    %quotient = transform.nest.get_block "quotient_rest_rest_rest" in %root : !transform.any_op
    %ti, %tj, %tii, %tji, %tk = transform.nest.get_loops %tile : 5
    %si, %sj, %sii, %sji = transform.nest.get_loops %quotient : 4
    %full, %partial = transform.nest.separate_full_partial %tj

    // Their products as those of a matmul: 4 x 8 sums in registers.
    %i0, %i1 = transform.nest.split %tii by [-1, 4] : 2
    %j0, %j1 = transform.nest.split %tji by [-1, 8] : 2
    transform.nest.reorder %i0, %j0, %tk, %i1, %j1
    transform.nest.unroll %i1
    transform.nest.vectorize %j1
    // What is left of a column depends on that column alone.
    %sj0, %sj1 = transform.nest.split %sji by [-1, 8] : 2
    transform.nest.vectorize %sj1
    transform.yield
  }
}
