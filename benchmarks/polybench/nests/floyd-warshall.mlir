// Shortest paths between all pairs. No cycle is negative, so step k leaves row k and column k as they are:
// the pairs (i, j) are independent.
nest.func @floyd_warshall(%path: memref<?x?xi32>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n, n)>]} {
  nest.for %k = 0 to symbol(%n) {
    nest.for %i = 0 to symbol(%n) {
      nest.for %j = 0 to symbol(%n) {
        nest.block "path" (%vk : ordered = %k to symbol(%n), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
          %path0 = memref.load %path[%vi, %vj] : memref<?x?xi32>
          %path1 = memref.load %path[%vi, %vk] : memref<?x?xi32>
          %path2 = memref.load %path[%vk, %vj] : memref<?x?xi32>
          %x3 = arith.addi %path1, %path2 : i32
          %x4 = arith.minsi %path0, %x3 : i32
          memref.store %x4, %path[%vi, %vj] : memref<?x?xi32>
        }
      }
    }
  }
}
