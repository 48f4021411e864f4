// The lower triangle of C = 1.2 C + 1.5 (A B' + B A')
nest.func @syr2k(%C: memref<?x?xf64>, %A: memref<?x?xf64>, %B: memref<?x?xf64>, %n: index, %m: index)
    attributes {shapes = [
      affine_map<()[n, m] -> (n, n)>,
      affine_map<()[n, m] -> (n, m)>,
      affine_map<()[n, m] -> (n, m)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to %i + 1 {
      nest.block "scale" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
        %c0 = memref.load %C[%vi, %vj] : memref<?x?xf64>
        %c1 = arith.constant 1.2 : f64
        %x2 = arith.mulf %c0, %c1 : f64
        memref.store %x2, %C[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %k = 0 to symbol(%m) {
      nest.for %j = 0 to %i + 1 {
        nest.block "C" (%vi : spatial = %i to symbol(%n), %vk : reduce = %k to symbol(%m), %vj : spatial = %j to symbol(%n)) {
          %c0 = memref.load %C[%vi, %vj] : memref<?x?xf64>
          %a1 = memref.load %A[%vj, %vk] : memref<?x?xf64>
          %c2 = arith.constant 1.5 : f64
          %x3 = arith.mulf %a1, %c2 : f64
          %b4 = memref.load %B[%vi, %vk] : memref<?x?xf64>
          %x5 = arith.mulf %x3, %b4 : f64
          %b6 = memref.load %B[%vj, %vk] : memref<?x?xf64>
          %x7 = arith.mulf %b6, %c2 : f64
          %a8 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %x9 = arith.mulf %x7, %a8 : f64
          %x10 = arith.addf %x5, %x9 : f64
          %x11 = arith.addf %c0, %x10 : f64
          memref.store %x11, %C[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
