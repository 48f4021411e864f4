// A = L U in place; L y = b; U x = y
nest.func @ludcmp(%A: memref<?x?xf64>, %b: memref<?xf64>, %x: memref<?xf64>, %y: memref<?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n, n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to %i {
      nest.for %k = 0 to %j {
        nest.block "lower" (%vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n), %vk : reduce = %k to symbol(%n)) {
          %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %a1 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %a2 = memref.load %A[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %a1, %a2 : f64
          %x4 = arith.subf %a0, %x3 : f64
          memref.store %x4, %A[%vi, %vj] : memref<?x?xf64>
        }
      }
      nest.block "quotient" (%vi : ordered = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
        %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %a1 = memref.load %A[%vj, %vj] : memref<?x?xf64>
        %x2 = arith.divf %a0, %a1 : f64
        memref.store %x2, %A[%vi, %vj] : memref<?x?xf64>
      }
    }
    nest.for %j = %i to symbol(%n) {
      nest.for %k = 0 to %i {
        nest.block "upper" (%vi : ordered = %i to symbol(%n), %vj : spatial = %j to symbol(%n), %vk : reduce = %k to symbol(%n)) {
          %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %a1 = memref.load %A[%vi, %vk] : memref<?x?xf64>
          %a2 = memref.load %A[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %a1, %a2 : f64
          %x4 = arith.subf %a0, %x3 : f64
          memref.store %x4, %A[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.block "start" (%vi : ordered = %i to symbol(%n)) {
      %b0 = memref.load %b[%vi] : memref<?xf64>
      memref.store %b0, %y[%vi] : memref<?xf64>
    }
    nest.for %j = 0 to %i {
      nest.block "forward" (%vi : ordered = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %y0 = memref.load %y[%vi] : memref<?xf64>
        %a1 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %y2 = memref.load %y[%vj] : memref<?xf64>
        %x3 = arith.mulf %a1, %y2 : f64
        %x4 = arith.subf %y0, %x3 : f64
        memref.store %x4, %y[%vi] : memref<?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.block "back" (%vi : ordered = %i to symbol(%n)) {
      %c0 = arith.constant 1 : index
      %i1 = arith.subi %n, %c0 : index
      %i2 = arith.subi %i1, %vi : index
      %y3 = memref.load %y[%i2] : memref<?xf64>
      memref.store %y3, %x[%i2] : memref<?xf64>
    }
    nest.for %j = symbol(%n) - %i to symbol(%n) {
      nest.block "backward" (%vi : ordered = %i to symbol(%n), %vj : reduce = %j to symbol(%n)) {
        %c0 = arith.constant 1 : index
        %i1 = arith.subi %n, %c0 : index
        %i2 = arith.subi %i1, %vi : index
        %x3 = memref.load %x[%i2] : memref<?xf64>
        %a4 = memref.load %A[%i2, %vj] : memref<?x?xf64>
        %x5 = memref.load %x[%vj] : memref<?xf64>
        %x6 = arith.mulf %a4, %x5 : f64
        %x7 = arith.subf %x3, %x6 : f64
        memref.store %x7, %x[%i2] : memref<?xf64>
      }
    }
    nest.block "divide" (%vi : ordered = %i to symbol(%n)) {
      %c0 = arith.constant 1 : index
      %i1 = arith.subi %n, %c0 : index
      %i2 = arith.subi %i1, %vi : index
      %x3 = memref.load %x[%i2] : memref<?xf64>
      %a4 = memref.load %A[%i2, %i2] : memref<?x?xf64>
      %x5 = arith.divf %x3, %a4 : f64
      memref.store %x5, %x[%i2] : memref<?xf64>
    }
  }
}
