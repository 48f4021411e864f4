// Levinson-Durbin recursion of a Toeplitz system
nest.func @durbin(%r: memref<?xf64>, %y: memref<?xf64>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n)>]} {
  %z = nest.alloc [symbol(%n)] : memref<?xf64>
  %state = nest.alloc : memref<3xf64>
  nest.block "first" (%vo : spatial = 0 to 1) {
    %r0 = memref.load %r[%vo] : memref<?xf64>
    %x1 = arith.negf %r0 : f64
    memref.store %x1, %y[%vo] : memref<?xf64>
    %c2 = arith.constant 1.0 : f64
    %c3 = arith.constant 0 : index
    memref.store %c2, %state[%c3] : memref<3xf64>
    %c4 = arith.constant 1 : index
    memref.store %x1, %state[%c4] : memref<3xf64>
  }
  nest.for %k = 1 to symbol(%n) {
    nest.block "beta" (%vk : ordered = %k to symbol(%n)) {
      %c0 = arith.constant 1.0 : f64
      %c1 = arith.constant 1 : index
      %state2 = memref.load %state[%c1] : memref<3xf64>
      %x3 = arith.mulf %state2, %state2 : f64
      %x4 = arith.subf %c0, %x3 : f64
      %c5 = arith.constant 0 : index
      %state6 = memref.load %state[%c5] : memref<3xf64>
      %x7 = arith.mulf %x4, %state6 : f64
      memref.store %x7, %state[%c5] : memref<3xf64>
      %c8 = arith.constant 0.0 : f64
      %c9 = arith.constant 2 : index
      memref.store %c8, %state[%c9] : memref<3xf64>
    }
    nest.for %i = 0 to %k {
      nest.block "sum" (%vk : ordered = %k to symbol(%n), %vi : reduce = %i to symbol(%n)) {
        %c0 = arith.constant 2 : index
        %state1 = memref.load %state[%c0] : memref<3xf64>
        %i2 = arith.subi %vk, %vi : index
        %c3 = arith.constant 1 : index
        %i4 = arith.subi %i2, %c3 : index
        %r5 = memref.load %r[%i4] : memref<?xf64>
        %y6 = memref.load %y[%vi] : memref<?xf64>
        %x7 = arith.mulf %r5, %y6 : f64
        %x8 = arith.addf %state1, %x7 : f64
        memref.store %x8, %state[%c0] : memref<3xf64>
      }
    }
    nest.block "alpha" (%vk : ordered = %k to symbol(%n)) {
      %r0 = memref.load %r[%vk] : memref<?xf64>
      %c1 = arith.constant 2 : index
      %state2 = memref.load %state[%c1] : memref<3xf64>
      %x3 = arith.addf %r0, %state2 : f64
      %x4 = arith.negf %x3 : f64
      %c5 = arith.constant 0 : index
      %state6 = memref.load %state[%c5] : memref<3xf64>
      %x7 = arith.divf %x4, %state6 : f64
      %c8 = arith.constant 1 : index
      memref.store %x7, %state[%c8] : memref<3xf64>
    }
    nest.for %i = 0 to %k {
      nest.block "z" (%vk : ordered = %k to symbol(%n), %vi : spatial = %i to symbol(%n)) {
        %y0 = memref.load %y[%vi] : memref<?xf64>
        %c1 = arith.constant 1 : index
        %state2 = memref.load %state[%c1] : memref<3xf64>
        %i3 = arith.subi %vk, %vi : index
        %i4 = arith.subi %i3, %c1 : index
        %y5 = memref.load %y[%i4] : memref<?xf64>
        %x6 = arith.mulf %state2, %y5 : f64
        %x7 = arith.addf %y0, %x6 : f64
        memref.store %x7, %z[%vi] : memref<?xf64>
      }
    }
    nest.for %i = 0 to %k {
      nest.block "y" (%vk : ordered = %k to symbol(%n), %vi : spatial = %i to symbol(%n)) {
        %z0 = memref.load %z[%vi] : memref<?xf64>
        memref.store %z0, %y[%vi] : memref<?xf64>
      }
    }
    nest.block "last" (%vk : ordered = %k to symbol(%n)) {
      %c0 = arith.constant 1 : index
      %state1 = memref.load %state[%c0] : memref<3xf64>
      memref.store %state1, %y[%vk] : memref<?xf64>
    }
  }
}
