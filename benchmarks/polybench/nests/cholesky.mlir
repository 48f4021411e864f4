// A = L L', L in the lower triangle of A
nest.func @cholesky(%A: memref<?x?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n, n)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to %i {
      nest.for %k = 0 to %j {
        nest.block "row" (%vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n), %vk : reduce = %k to symbol(%n)) {
          %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %a1 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %a2 = memref.load %A[%vj, %vk] : memref<?x?xf64>
          %x3 = arith.mulf %a1, %a2 : f64
          %x4 = arith.subf %a0, %x3 : f64
          memref.store %x4, %A[%vi, %vj] : memref<?x?xf64>
        }
      }
      nest.block "quotient" (%vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
        %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %a1 = memref.load %A[%vj, %vj] : memref<?x?xf64>
        %x2 = arith.divf %a0, %a1 : f64
        memref.store %x2, %A[%vi, %vj] : memref<?x?xf64>
      }
    }
    nest.for %k = 0 to %i {
      nest.block "pivot" (%vi : ordered = %i to symbol(%n), %vk : reduce = %k to symbol(%n)) {
        %a0 = memref.load %A[%vi, %vi] : memref<?x?xf64>
        %a1 = memref.load %A[%vi, %vk] : memref<?x?xf64>
        %x2 = arith.mulf %a1, %a1 : f64
        %x3 = arith.subf %a0, %x2 : f64
        memref.store %x3, %A[%vi, %vi] : memref<?x?xf64>
      }
    }
    nest.block "root" (%vi : ordered = %i to symbol(%n)) {
      %a0 = memref.load %A[%vi, %vi] : memref<?x?xf64>
      %x1 = math.sqrt %a0 : f64
      memref.store %x1, %A[%vi, %vi] : memref<?x?xf64>
    }
  }
}
