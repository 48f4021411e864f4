// x1 = x1 + A y1; x2 = x2 + A' y2
nest.func @mvt(%x1: memref<?xf64>, %x2: memref<?xf64>, %y1: memref<?xf64>, %y2: memref<?xf64>,
    %A: memref<?x?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n, n)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "x1" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %x1_0 = memref.load %x1[%vi] : memref<?xf64>
        %a1 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %y1_2 = memref.load %y1[%vj] : memref<?xf64>
        %x3 = arith.mulf %a1, %y1_2 : f64
        %x4 = arith.addf %x1_0, %x3 : f64
        memref.store %x4, %x1[%vi] : memref<?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "x2" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %x2_0 = memref.load %x2[%vi] : memref<?xf64>
        %a1 = memref.load %A[%vj, %vi] : memref<?x?xf64>
        %y2_2 = memref.load %y2[%vj] : memref<?xf64>
        %x3 = arith.mulf %a1, %y2_2 : f64
        %x4 = arith.addf %x2_0, %x3 : f64
        memref.store %x4, %x2[%vi] : memref<?xf64>
      }
    }
  }
}
