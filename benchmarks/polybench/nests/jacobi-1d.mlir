// A row of three-point means, two buffers in turn
nest.func @jacobi_1d(%A: memref<?xf64>, %B: memref<?xf64>, %n: index, %steps: index)
    attributes {shapes = [
      affine_map<()[n, steps] -> (n)>,
      affine_map<()[n, steps] -> (n)>]} {
  nest.for %t = 0 to symbol(%steps) {
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.block "B" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n)) {
        %c0 = arith.constant 0.33333 : f64
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %vi, %c1 : index
        %a3 = memref.load %A[%i2] : memref<?xf64>
        %a4 = memref.load %A[%vi] : memref<?xf64>
        %x5 = arith.addf %a3, %a4 : f64
        %i6 = arith.addi %vi, %c1 : index
        %a7 = memref.load %A[%i6] : memref<?xf64>
        %x8 = arith.addf %x5, %a7 : f64
        %x9 = arith.mulf %c0, %x8 : f64
        memref.store %x9, %B[%vi] : memref<?xf64>
      }
    }
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n)) {
        %c0 = arith.constant 0.33333 : f64
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %vi, %c1 : index
        %b3 = memref.load %B[%i2] : memref<?xf64>
        %b4 = memref.load %B[%vi] : memref<?xf64>
        %x5 = arith.addf %b3, %b4 : f64
        %i6 = arith.addi %vi, %c1 : index
        %b7 = memref.load %B[%i6] : memref<?xf64>
        %x8 = arith.addf %x5, %b7 : f64
        %x9 = arith.mulf %c0, %x8 : f64
        memref.store %x9, %A[%vi] : memref<?xf64>
      }
    }
  }
}
