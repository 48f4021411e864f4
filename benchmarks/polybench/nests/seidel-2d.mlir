// Nine-point means in place
nest.func @seidel_2d(%A: memref<?x?xf64>, %n: index, %steps: index)
    attributes {shapes = [
      affine_map<()[n, steps] -> (n, n)>]} {
  nest.for %t = 0 to symbol(%steps) {
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
          %c0 = arith.constant 1 : index
          %i1 = arith.subi %vi, %c0 : index
          %i2 = arith.subi %vj, %c0 : index
          %a3 = memref.load %A[%i1, %i2] : memref<?x?xf64>
          %a4 = memref.load %A[%i1, %vj] : memref<?x?xf64>
          %x5 = arith.addf %a3, %a4 : f64
          %i6 = arith.addi %vj, %c0 : index
          %a7 = memref.load %A[%i1, %i6] : memref<?x?xf64>
          %x8 = arith.addf %x5, %a7 : f64
          %a9 = memref.load %A[%vi, %i2] : memref<?x?xf64>
          %x10 = arith.addf %x8, %a9 : f64
          %a11 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %x12 = arith.addf %x10, %a11 : f64
          %a13 = memref.load %A[%vi, %i6] : memref<?x?xf64>
          %x14 = arith.addf %x12, %a13 : f64
          %i15 = arith.addi %vi, %c0 : index
          %a16 = memref.load %A[%i15, %i2] : memref<?x?xf64>
          %x17 = arith.addf %x14, %a16 : f64
          %a18 = memref.load %A[%i15, %vj] : memref<?x?xf64>
          %x19 = arith.addf %x17, %a18 : f64
          %a20 = memref.load %A[%i15, %i6] : memref<?x?xf64>
          %x21 = arith.addf %x19, %a20 : f64
          %c22 = arith.constant 9.0 : f64
          %x23 = arith.divf %x21, %c22 : f64
          memref.store %x23, %A[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
