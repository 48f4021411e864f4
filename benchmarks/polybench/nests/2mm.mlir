// D = 1.2 D + 1.5 A B C
nest.func @"2mm"(%tmp: memref<?x?xf64>, %A: memref<?x?xf64>, %B: memref<?x?xf64>, %C: memref<?x?xf64>,
    %D: memref<?x?xf64>, %ni: index, %nj: index, %nk: index, %nl: index)
    attributes {shapes = [
      affine_map<()[ni, nj, nk, nl] -> (ni, nj)>,
      affine_map<()[ni, nj, nk, nl] -> (ni, nk)>,
      affine_map<()[ni, nj, nk, nl] -> (nk, nj)>,
      affine_map<()[ni, nj, nk, nl] -> (nj, nl)>,
      affine_map<()[ni, nj, nk, nl] -> (ni, nl)>]} {
  nest.for %i = 0 to symbol(%ni) {
    nest.for %j = 0 to symbol(%nj) {
      nest.for %k = 0 to symbol(%nk) {
        nest.block "tmp" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nj), %vk : reduce = %k to symbol(%nk)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %tmp[%vi, %vj] : memref<?x?xf64>
        } {
          %tmp0 = memref.load %tmp[%vi, %vj] : memref<?x?xf64>
          %c1 = arith.constant 1.5 : f64
          %a2 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %x3 = arith.mulf %c1, %a2 : f64
          %b4 = memref.load %B[%vk, %vj] : memref<?x?xf64>
          %x5 = arith.mulf %x3, %b4 : f64
          %x6 = arith.addf %tmp0, %x5 : f64
          memref.store %x6, %tmp[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%ni) {
    nest.for %j = 0 to symbol(%nl) {
      nest.block "scale" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nl)) {
        %d0 = memref.load %D[%vi, %vj] : memref<?x?xf64>
        %c1 = arith.constant 1.2 : f64
        %x2 = arith.mulf %d0, %c1 : f64
        memref.store %x2, %D[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%ni) {
    nest.for %j = 0 to symbol(%nl) {
      nest.for %k = 0 to symbol(%nj) {
        nest.block "D" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nl), %vk : reduce = %k to symbol(%nj)) {
          %d0 = memref.load %D[%vi, %vj] : memref<?x?xf64>
          %tmp1 = memref.load %tmp[%vi, %vk] : memref<?x?xf64>
          %c2 = memref.load %C[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %tmp1, %c2 : f64
          %x4 = arith.addf %d0, %x3 : f64
          memref.store %x4, %D[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
