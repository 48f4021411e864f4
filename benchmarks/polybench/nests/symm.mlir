// C = 1.2 C + 1.5 A B, A symmetric, of which the lower triangle is stored
nest.func @symm(%C: memref<?x?xf64>, %A: memref<?x?xf64>, %B: memref<?x?xf64>, %m: index, %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (m, n)>,
      affine_map<()[m, n] -> (m, m)>,
      affine_map<()[m, n] -> (m, n)>]} {
  nest.for %i = 0 to symbol(%m) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "diagonal" (%vi : spatial = %i to symbol(%m), %vj : spatial = %j to symbol(%n)) {
        %c0 = arith.constant 1.2 : f64
        %c1 = memref.load %C[%vi, %vj] : memref<?x?xf64>
        %x2 = arith.mulf %c0, %c1 : f64
        %c3 = arith.constant 1.5 : f64
        %b4 = memref.load %B[%vi, %vj] : memref<?x?xf64>
        %x5 = arith.mulf %c3, %b4 : f64
        %a6 = memref.load %A[%vi, %vi] : memref<?x?xf64>
        %x7 = arith.mulf %x5, %a6 : f64
        %x8 = arith.addf %x2, %x7 : f64
        memref.store %x8, %C[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%m) {
    nest.for %k = 0 to %i {
      nest.for %j = 0 to symbol(%n) {
        nest.block "lower" (%vi : spatial = %i to symbol(%m), %vk : reduce = %k to symbol(%m), %vj : spatial = %j to symbol(%n)) {
          %c0 = memref.load %C[%vi, %vj] : memref<?x?xf64>
          %c1 = arith.constant 1.5 : f64
          %a2 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %x3 = arith.mulf %c1, %a2 : f64
          %b4 = memref.load %B[%vk, %vj] : memref<?x?xf64>
          %x5 = arith.mulf %x3, %b4 : f64
          %x6 = arith.addf %c0, %x5 : f64
          memref.store %x6, %C[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%m) {
    nest.for %k = %i + 1 to symbol(%m) {
      nest.for %j = 0 to symbol(%n) {
        nest.block "upper" (%vi : spatial = %i to symbol(%m), %vk : reduce = %k to symbol(%m), %vj : spatial = %j to symbol(%n)) {
          %c0 = memref.load %C[%vi, %vj] : memref<?x?xf64>
          %c1 = arith.constant 1.5 : f64
          %a2 = memref.load %A[%vk, %vi] : memref<?x?xf64>
          %x3 = arith.mulf %c1, %a2 : f64
          %b4 = memref.load %B[%vk, %vj] : memref<?x?xf64>
          %x5 = arith.mulf %x3, %b4 : f64
          %x6 = arith.addf %c0, %x5 : f64
          memref.store %x6, %C[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
