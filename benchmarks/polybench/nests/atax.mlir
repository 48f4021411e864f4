// y = A' (A x)
nest.func @atax(%A: memref<?x?xf64>, %x: memref<?xf64>, %y: memref<?xf64>, %tmp: memref<?xf64>, %m: index,
    %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (m, n)>,
      affine_map<()[m, n] -> (n)>,
      affine_map<()[m, n] -> (n)>,
      affine_map<()[m, n] -> (m)>]} {
  nest.for %j = 0 to symbol(%n) {
    nest.block "zero" (%vj : spatial = %j to symbol(%n)) {
      %c0 = arith.constant 0.0 : f64
      memref.store %c0, %y[%vj] : memref<?xf64>
    }
  }
  nest.for %i = 0 to symbol(%m) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "tmp" (%vi : spatial = %i to symbol(%m), %vj : reduce = %j to symbol(%n)) init {
        %c0 = arith.constant 0.0 : f64
        memref.store %c0, %tmp[%vi] : memref<?xf64>
      } {
        %tmp0 = memref.load %tmp[%vi] : memref<?xf64>
        %a1 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %x2 = memref.load %x[%vj] : memref<?xf64>
        %x3 = arith.mulf %a1, %x2 : f64
        %x4 = arith.addf %tmp0, %x3 : f64
        memref.store %x4, %tmp[%vi] : memref<?xf64>
      }
    }
    nest.for %j = 0 to symbol(%n) {
      nest.block "y" (%vj : spatial = %j to symbol(%n), %vi : reduce = %i to symbol(%m)) {
        %y0 = memref.load %y[%vj] : memref<?xf64>
        %a1 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %tmp2 = memref.load %tmp[%vi] : memref<?xf64>
        %x3 = arith.mulf %a1, %tmp2 : f64
        %x4 = arith.addf %y0, %x3 : f64
        memref.store %x4, %y[%vj] : memref<?xf64>
      }
    }
  }
}
