// Heat in a cube, two buffers in turn
nest.func @heat_3d(%A: memref<?x?x?xf64>, %B: memref<?x?x?xf64>, %n: index, %steps: index)
    attributes {shapes = [
      affine_map<()[n, steps] -> (n, n, n)>,
      affine_map<()[n, steps] -> (n, n, n)>]} {
  nest.for %t = 0 to symbol(%steps) {
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.for %k = 1 to symbol(%n) - 1 {
          nest.block "B" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n), %vk : spatial = %k to symbol(%n)) {
            %c0 = arith.constant 0.125 : f64
            %c1 = arith.constant 1 : index
            %i2 = arith.addi %vi, %c1 : index
            %a3 = memref.load %A[%i2, %vj, %vk] : memref<?x?x?xf64>
            %c4 = arith.constant 2.0 : f64
            %a5 = memref.load %A[%vi, %vj, %vk] : memref<?x?x?xf64>
            %x6 = arith.mulf %c4, %a5 : f64
            %x7 = arith.subf %a3, %x6 : f64
            %i8 = arith.subi %vi, %c1 : index
            %a9 = memref.load %A[%i8, %vj, %vk] : memref<?x?x?xf64>
            %x10 = arith.addf %x7, %a9 : f64
            %x11 = arith.mulf %c0, %x10 : f64
            %i12 = arith.addi %vj, %c1 : index
            %a13 = memref.load %A[%vi, %i12, %vk] : memref<?x?x?xf64>
            %x14 = arith.subf %a13, %x6 : f64
            %i15 = arith.subi %vj, %c1 : index
            %a16 = memref.load %A[%vi, %i15, %vk] : memref<?x?x?xf64>
            %x17 = arith.addf %x14, %a16 : f64
            %x18 = arith.mulf %c0, %x17 : f64
            %x19 = arith.addf %x11, %x18 : f64
            %i20 = arith.addi %vk, %c1 : index
            %a21 = memref.load %A[%vi, %vj, %i20] : memref<?x?x?xf64>
            %x22 = arith.subf %a21, %x6 : f64
            %i23 = arith.subi %vk, %c1 : index
            %a24 = memref.load %A[%vi, %vj, %i23] : memref<?x?x?xf64>
            %x25 = arith.addf %x22, %a24 : f64
            %x26 = arith.mulf %c0, %x25 : f64
            %x27 = arith.addf %x19, %x26 : f64
            %x28 = arith.addf %x27, %a5 : f64
            memref.store %x28, %B[%vi, %vj, %vk] : memref<?x?x?xf64>
          }
        }
      }
    }
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.for %k = 1 to symbol(%n) - 1 {
          nest.block "A" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%n), %vk : spatial = %k to symbol(%n)) {
            %c0 = arith.constant 0.125 : f64
            %c1 = arith.constant 1 : index
            %i2 = arith.addi %vi, %c1 : index
            %b3 = memref.load %B[%i2, %vj, %vk] : memref<?x?x?xf64>
            %c4 = arith.constant 2.0 : f64
            %b5 = memref.load %B[%vi, %vj, %vk] : memref<?x?x?xf64>
            %x6 = arith.mulf %c4, %b5 : f64
            %x7 = arith.subf %b3, %x6 : f64
            %i8 = arith.subi %vi, %c1 : index
            %b9 = memref.load %B[%i8, %vj, %vk] : memref<?x?x?xf64>
            %x10 = arith.addf %x7, %b9 : f64
            %x11 = arith.mulf %c0, %x10 : f64
            %i12 = arith.addi %vj, %c1 : index
            %b13 = memref.load %B[%vi, %i12, %vk] : memref<?x?x?xf64>
            %x14 = arith.subf %b13, %x6 : f64
            %i15 = arith.subi %vj, %c1 : index
            %b16 = memref.load %B[%vi, %i15, %vk] : memref<?x?x?xf64>
            %x17 = arith.addf %x14, %b16 : f64
            %x18 = arith.mulf %c0, %x17 : f64
            %x19 = arith.addf %x11, %x18 : f64
            %i20 = arith.addi %vk, %c1 : index
            %b21 = memref.load %B[%vi, %vj, %i20] : memref<?x?x?xf64>
            %x22 = arith.subf %b21, %x6 : f64
            %i23 = arith.subi %vk, %c1 : index
            %b24 = memref.load %B[%vi, %vj, %i23] : memref<?x?x?xf64>
            %x25 = arith.addf %x22, %b24 : f64
            %x26 = arith.mulf %c0, %x25 : f64
            %x27 = arith.addf %x19, %x26 : f64
            %x28 = arith.addf %x27, %b5 : f64
            memref.store %x28, %A[%vi, %vj, %vk] : memref<?x?x?xf64>
          }
        }
      }
    }
  }
}
