// A plane of five-point means, two buffers in turn
nest.func @jacobi_2d(%A: memref<?x?xf64>, %B: memref<?x?xf64>, %n: index, %steps: index)
    attributes {shapes = [
      affine_map<()[n, steps] -> (n, n)>,
      affine_map<()[n, steps] -> (n, n)>]} {
  nest.for %t = 0 to symbol(%steps) {
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "B" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
          %c0 = arith.constant 0.2 : f64
          %a1 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %c2 = arith.constant 1 : index
          %i3 = arith.subi %vj, %c2 : index
          %a4 = memref.load %A[%vi, %i3] : memref<?x?xf64>
          %x5 = arith.addf %a1, %a4 : f64
          %i6 = arith.addi %vj, %c2 : index
          %a7 = memref.load %A[%vi, %i6] : memref<?x?xf64>
          %x8 = arith.addf %x5, %a7 : f64
          %i9 = arith.addi %vi, %c2 : index
          %a10 = memref.load %A[%i9, %vj] : memref<?x?xf64>
          %x11 = arith.addf %x8, %a10 : f64
          %i12 = arith.subi %vi, %c2 : index
          %a13 = memref.load %A[%i12, %vj] : memref<?x?xf64>
          %x14 = arith.addf %x11, %a13 : f64
          %x15 = arith.mulf %c0, %x14 : f64
          memref.store %x15, %B[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n)) {
          %c0 = arith.constant 0.2 : f64
          %b1 = memref.load %B[%vi, %vj] : memref<?x?xf64>
          %c2 = arith.constant 1 : index
          %i3 = arith.subi %vj, %c2 : index
          %b4 = memref.load %B[%vi, %i3] : memref<?x?xf64>
          %x5 = arith.addf %b1, %b4 : f64
          %i6 = arith.addi %vj, %c2 : index
          %b7 = memref.load %B[%vi, %i6] : memref<?x?xf64>
          %x8 = arith.addf %x5, %b7 : f64
          %i9 = arith.addi %vi, %c2 : index
          %b10 = memref.load %B[%i9, %vj] : memref<?x?xf64>
          %x11 = arith.addf %x8, %b10 : f64
          %i12 = arith.subi %vi, %c2 : index
          %b13 = memref.load %B[%i12, %vj] : memref<?x?xf64>
          %x14 = arith.addf %x11, %b13 : f64
          %x15 = arith.mulf %c0, %x14 : f64
          memref.store %x15, %A[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
