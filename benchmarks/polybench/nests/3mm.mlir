// G = (A B) (C D)
nest.func @"3mm"(%E: memref<?x?xf64>, %A: memref<?x?xf64>, %B: memref<?x?xf64>, %F: memref<?x?xf64>,
    %C: memref<?x?xf64>, %D: memref<?x?xf64>, %G: memref<?x?xf64>, %ni: index, %nj: index, %nk: index,
    %nl: index, %nm: index)
    attributes {shapes = [
      affine_map<()[ni, nj, nk, nl, nm] -> (ni, nj)>,
      affine_map<()[ni, nj, nk, nl, nm] -> (ni, nk)>,
      affine_map<()[ni, nj, nk, nl, nm] -> (nk, nj)>,
      affine_map<()[ni, nj, nk, nl, nm] -> (nj, nl)>,
      affine_map<()[ni, nj, nk, nl, nm] -> (nj, nm)>,
      affine_map<()[ni, nj, nk, nl, nm] -> (nm, nl)>,
      affine_map<()[ni, nj, nk, nl, nm] -> (ni, nl)>]} {
  nest.for %i = 0 to symbol(%ni) {
    nest.for %j = 0 to symbol(%nj) {
      nest.for %k = 0 to symbol(%nk) {
        nest.block "E" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nj), %vk : reduce = %k to symbol(%nk)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %E[%vi, %vj] : memref<?x?xf64>
        } {
          %e0 = memref.load %E[%vi, %vj] : memref<?x?xf64>
          %a1 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %b2 = memref.load %B[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %a1, %b2 : f64
          %x4 = arith.addf %e0, %x3 : f64
          memref.store %x4, %E[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%nj) {
    nest.for %j = 0 to symbol(%nl) {
      nest.for %k = 0 to symbol(%nm) {
        nest.block "F" (%vi : spatial = %i to symbol(%nj), %vj : spatial = %j to symbol(%nl), %vk : reduce = %k to symbol(%nm)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %F[%vi, %vj] : memref<?x?xf64>
        } {
          %f0 = memref.load %F[%vi, %vj] : memref<?x?xf64>
          %c1 = memref.load %C[%vi, %vk] : memref<?x?xf64>
          %d2 = memref.load %D[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %c1, %d2 : f64
          %x4 = arith.addf %f0, %x3 : f64
          memref.store %x4, %F[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%ni) {
    nest.for %j = 0 to symbol(%nl) {
      nest.for %k = 0 to symbol(%nj) {
        nest.block "G" (%vi : spatial = %i to symbol(%ni), %vj : spatial = %j to symbol(%nl), %vk : reduce = %k to symbol(%nj)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %G[%vi, %vj] : memref<?x?xf64>
        } {
          %g0 = memref.load %G[%vi, %vj] : memref<?x?xf64>
          %e1 = memref.load %E[%vi, %vk] : memref<?x?xf64>
          %f2 = memref.load %F[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %e1, %f2 : f64
          %x4 = arith.addf %g0, %x3 : f64
          memref.store %x4, %G[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
