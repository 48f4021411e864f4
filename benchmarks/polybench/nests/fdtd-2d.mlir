// Maxwell's equations in two dimensions: two electric fields, one magnetic
nest.func @fdtd_2d(%ex: memref<?x?xf64>, %ey: memref<?x?xf64>, %hz: memref<?x?xf64>, %fict: memref<?xf64>,
    %steps: index, %nx: index, %ny: index)
    attributes {shapes = [
      affine_map<()[steps, nx, ny] -> (nx, ny)>,
      affine_map<()[steps, nx, ny] -> (nx, ny)>,
      affine_map<()[steps, nx, ny] -> (nx, ny)>,
      affine_map<()[steps, nx, ny] -> (steps)>]} {
  nest.for %t = 0 to symbol(%steps) {
    nest.for %j = 0 to symbol(%ny) {
      nest.block "source" (%vt : ordered = %t to symbol(%steps), %vj : spatial = %j to symbol(%ny)) {
        %fict0 = memref.load %fict[%vt] : memref<?xf64>
        %c1 = arith.constant 0 : index
        memref.store %fict0, %ey[%c1, %vj] : memref<?x?xf64>
      }
    }
    nest.for %i = 1 to symbol(%nx) {
      nest.for %j = 0 to symbol(%ny) {
        nest.block "ey" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%nx), %vj : spatial = %j to symbol(%ny)) {
          %ey0 = memref.load %ey[%vi, %vj] : memref<?x?xf64>
          %c1 = arith.constant 0.5 : f64
          %hz2 = memref.load %hz[%vi, %vj] : memref<?x?xf64>
          %c3 = arith.constant 1 : index
          %i4 = arith.subi %vi, %c3 : index
          %hz5 = memref.load %hz[%i4, %vj] : memref<?x?xf64>
          %x6 = arith.subf %hz2, %hz5 : f64
          %x7 = arith.mulf %c1, %x6 : f64
          %x8 = arith.subf %ey0, %x7 : f64
          memref.store %x8, %ey[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
    nest.for %i = 0 to symbol(%nx) {
      nest.for %j = 1 to symbol(%ny) {
        nest.block "ex" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%nx), %vj : spatial = %j to symbol(%ny)) {
          %ex0 = memref.load %ex[%vi, %vj] : memref<?x?xf64>
          %c1 = arith.constant 0.5 : f64
          %hz2 = memref.load %hz[%vi, %vj] : memref<?x?xf64>
          %c3 = arith.constant 1 : index
          %i4 = arith.subi %vj, %c3 : index
          %hz5 = memref.load %hz[%vi, %i4] : memref<?x?xf64>
          %x6 = arith.subf %hz2, %hz5 : f64
          %x7 = arith.mulf %c1, %x6 : f64
          %x8 = arith.subf %ex0, %x7 : f64
          memref.store %x8, %ex[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
    nest.for %i = 0 to symbol(%nx) - 1 {
      nest.for %j = 0 to symbol(%ny) - 1 {
        nest.block "hz" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%nx), %vj : spatial = %j to symbol(%ny)) {
          %hz0 = memref.load %hz[%vi, %vj] : memref<?x?xf64>
          %c1 = arith.constant 0.7 : f64
          %c2 = arith.constant 1 : index
          %i3 = arith.addi %vj, %c2 : index
          %ex4 = memref.load %ex[%vi, %i3] : memref<?x?xf64>
          %ex5 = memref.load %ex[%vi, %vj] : memref<?x?xf64>
          %x6 = arith.subf %ex4, %ex5 : f64
          %i7 = arith.addi %vi, %c2 : index
          %ey8 = memref.load %ey[%i7, %vj] : memref<?x?xf64>
          %x9 = arith.addf %x6, %ey8 : f64
          %ey10 = memref.load %ey[%vi, %vj] : memref<?x?xf64>
          %x11 = arith.subf %x9, %ey10 : f64
          %x12 = arith.mulf %c1, %x11 : f64
          %x13 = arith.subf %hz0, %x12 : f64
          memref.store %x13, %hz[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
