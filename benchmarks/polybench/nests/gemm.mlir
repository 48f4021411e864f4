// C = 1.2 C + 1.5 A B
nest.func @gemm(%C: memref<?x?xf64>, %A: memref<?x?xf64>, %B: memref<?x?xf64>, %ni: index, %nj: index,
    %nk: index)
    attributes {shapes = [
      affine_map<()[ni, nj, nk] -> (ni, nj)>,
      affine_map<()[ni, nj, nk] -> (ni, nk)>,
      affine_map<()[ni, nj, nk] -> (nk, nj)>]} {
  nest.for %i = 0 to symbol(%ni) {
    nest.for %j = 0 to symbol(%nj) {
      nest.block "scale" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nj)) {
        %c0 = memref.load %C[%vi, %vj] : memref<?x?xf64>
        %c1 = arith.constant 1.2 : f64
        %x2 = arith.mulf %c0, %c1 : f64
        memref.store %x2, %C[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%ni) {
    nest.for %k = 0 to symbol(%nk) {
      nest.for %j = 0 to symbol(%nj) {
        nest.block "C" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nj), %vk : reduce = %k to symbol(%nk)) {
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
}
