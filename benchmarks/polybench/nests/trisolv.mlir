// L x = b, L lower triangular
nest.func @trisolv(%L: memref<?x?xf64>, %x: memref<?xf64>, %b: memref<?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n, n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.block "start" (%vi : ordered = %i to symbol(%n)) {
      %b0 = memref.load %b[%vi] : memref<?xf64>
      memref.store %b0, %x[%vi] : memref<?xf64>
    }
    nest.for %j = 0 to %i {
      nest.block "x" (%vi : ordered = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %x0 = memref.load %x[%vi] : memref<?xf64>
        %l1 = memref.load %L[%vi, %vj] : memref<?x?xf64>
        %x2 = memref.load %x[%vj] : memref<?xf64>
        %x3 = arith.mulf %l1, %x2 : f64
        %x4 = arith.subf %x0, %x3 : f64
        memref.store %x4, %x[%vi] : memref<?xf64>
      }
    }
    nest.block "divide" (%vi : ordered = %i to symbol(%n)) {
      %x0 = memref.load %x[%vi] : memref<?xf64>
      %l1 = memref.load %L[%vi, %vi] : memref<?x?xf64>
      %x2 = arith.divf %x0, %l1 : f64
      memref.store %x2, %x[%vi] : memref<?xf64>
    }
  }
}
