// B = 1.5 A' B in place, A lower triangular with ones on its diagonal
nest.func @trmm(%A: memref<?x?xf64>, %B: memref<?x?xf64>, %m: index, %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (m, m)>,
      affine_map<()[m, n] -> (m, n)>]} {
  nest.for %i = 0 to symbol(%m) {
    nest.for %k = %i + 1 to symbol(%m) {
      nest.for %j = 0 to symbol(%n) {
        nest.block "sum" (%vi : ordered = %i to symbol(%m), %vj : spatial = %j to symbol(%n), %vk : reduce = %k to symbol(%m)) {
          %b0 = memref.load %B[%vi, %vj] : memref<?x?xf64>
          %a1 = memref.load %A[%vk, %vi] : memref<?x?xf64>
          %b2 = memref.load %B[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %a1, %b2 : f64
          %x4 = arith.addf %b0, %x3 : f64
          memref.store %x4, %B[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
    nest.for %j = 0 to symbol(%n) {
      nest.block "scale" (%vi : ordered = %i to symbol(%m), %vj : spatial = %j to symbol(%n)) {
        %b0 = memref.load %B[%vi, %vj] : memref<?x?xf64>
        %c1 = arith.constant 1.5 : f64
        %x2 = arith.mulf %b0, %c1 : f64
        memref.store %x2, %B[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
}
