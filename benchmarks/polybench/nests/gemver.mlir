// A = A + u1 v1' + u2 v2'; x = x + 1.2 A' y + z; w = w + 1.5 A x
nest.func @gemver(%A: memref<?x?xf64>, %u1: memref<?xf64>, %v1: memref<?xf64>, %u2: memref<?xf64>,
    %v2: memref<?xf64>, %w: memref<?xf64>, %x: memref<?xf64>, %y: memref<?xf64>, %z: memref<?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n, n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "A" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
        %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %u1_1 = memref.load %u1[%vi] : memref<?xf64>
        %v1_2 = memref.load %v1[%vj] : memref<?xf64>
        %x3 = arith.mulf %u1_1, %v1_2 : f64
        %x4 = arith.addf %a0, %x3 : f64
        %u2_5 = memref.load %u2[%vi] : memref<?xf64>
        %v2_6 = memref.load %v2[%vj] : memref<?xf64>
        %x7 = arith.mulf %u2_5, %v2_6 : f64
        %x8 = arith.addf %x4, %x7 : f64
        memref.store %x8, %A[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "x" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %x0 = memref.load %x[%vi] : memref<?xf64>
        %c1 = arith.constant 1.2 : f64
        %a2 = memref.load %A[%vj, %vi] : memref<?x?xf64>
        %x3 = arith.mulf %c1, %a2 : f64
        %y4 = memref.load %y[%vj] : memref<?xf64>
        %x5 = arith.mulf %x3, %y4 : f64
        %x6 = arith.addf %x0, %x5 : f64
        memref.store %x6, %x[%vi] : memref<?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.block "z" (%vi : spatial = %i to symbol(%n)) {
      %x0 = memref.load %x[%vi] : memref<?xf64>
      %z1 = memref.load %z[%vi] : memref<?xf64>
      %x2 = arith.addf %x0, %z1 : f64
      memref.store %x2, %x[%vi] : memref<?xf64>
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%n) {
      nest.block "w" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %w0 = memref.load %w[%vi] : memref<?xf64>
        %c1 = arith.constant 1.5 : f64
        %a2 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %x3 = arith.mulf %c1, %a2 : f64
        %x4 = memref.load %x[%vj] : memref<?xf64>
        %x5 = arith.mulf %x3, %x4 : f64
        %x6 = arith.addf %w0, %x5 : f64
        memref.store %x6, %w[%vi] : memref<?xf64>
      }
    }
  }
}
