// y = 1.5 A x + 1.2 B x
nest.func @gesummv(%A: memref<?x?xf64>, %B: memref<?x?xf64>, %tmp: memref<?xf64>, %x: memref<?xf64>,
    %y: memref<?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n, n)>,
      affine_map<()[n] -> (n, n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "tmp" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) init {
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
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "Bx" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) init {
        %c0 = arith.constant 0.0 : f64
        memref.store %c0, %y[%vi] : memref<?xf64>
      } {
        %y0 = memref.load %y[%vi] : memref<?xf64>
        %b1 = memref.load %B[%vi, %vj] : memref<?x?xf64>
        %x2 = memref.load %x[%vj] : memref<?xf64>
        %x3 = arith.mulf %b1, %x2 : f64
        %x4 = arith.addf %y0, %x3 : f64
        memref.store %x4, %y[%vi] : memref<?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.block "y" (%vi : spatial = %i to symbol(%n)) {
      %c0 = arith.constant 1.5 : f64
      %tmp1 = memref.load %tmp[%vi] : memref<?xf64>
      %x2 = arith.mulf %c0, %tmp1 : f64
      %c3 = arith.constant 1.2 : f64
      %y4 = memref.load %y[%vi] : memref<?xf64>
      %x5 = arith.mulf %c3, %y4 : f64
      %x6 = arith.addf %x2, %x5 : f64
      memref.store %x6, %y[%vi] : memref<?xf64>
    }
  }
}
