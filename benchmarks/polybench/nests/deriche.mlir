// Edge detection: four recursive filters of one image, along rows and columns, both ways.
// Coefficients: alpha = 0.25, k = (1 - exp(-alpha))^2 / (1 + 2 alpha exp(-alpha) - exp(2 alpha)).
nest.func @deriche(%imgIn: memref<?x?xf64>, %imgOut: memref<?x?xf64>, %y1: memref<?x?xf64>,
    %y2: memref<?x?xf64>, %w: index, %h: index)
    attributes {shapes = [
      affine_map<()[w, h] -> (w, h)>,
      affine_map<()[w, h] -> (w, h)>,
      affine_map<()[w, h] -> (w, h)>,
      affine_map<()[w, h] -> (w, h)>]} {
  nest.for %i = 0 to symbol(%w) {
    nest.block "right_0" (%vj : ordered = 0 to symbol(%h), %vi : spatial = %i to symbol(%w)) {
      %c0 = arith.constant -0.18868165852083035 : f64
      %imgin1 = memref.load %imgIn[%vi, %vj] : memref<?x?xf64>
      %x2 = arith.mulf %c0, %imgin1 : f64
      memref.store %x2, %y1[%vi, %vj] : memref<?x?xf64>
    }
    nest.block "right_1" (%vj : ordered = 1 to symbol(%h), %vi : spatial = %i to symbol(%w)) {
      %c0 = arith.constant -0.18868165852083035 : f64
      %imgin1 = memref.load %imgIn[%vi, %vj] : memref<?x?xf64>
      %x2 = arith.mulf %c0, %imgin1 : f64
      %c3 = arith.constant 0.11020906755542557 : f64
      %c4 = arith.constant 1 : index
      %i5 = arith.subi %vj, %c4 : index
      %imgin6 = memref.load %imgIn[%vi, %i5] : memref<?x?xf64>
      %x7 = arith.mulf %c3, %imgin6 : f64
      %x8 = arith.addf %x2, %x7 : f64
      %c9 = arith.constant 0.8408964152537145 : f64
      %y1_10 = memref.load %y1[%vi, %i5] : memref<?x?xf64>
      %x11 = arith.mulf %c9, %y1_10 : f64
      %x12 = arith.addf %x8, %x11 : f64
      memref.store %x12, %y1[%vi, %vj] : memref<?x?xf64>
    }
    nest.for %j = 2 to symbol(%h) {
      nest.block "right" (%vj : ordered = %j to symbol(%h), %vi : spatial = %i to symbol(%w)) {
        %c0 = arith.constant -0.18868165852083035 : f64
        %imgin1 = memref.load %imgIn[%vi, %vj] : memref<?x?xf64>
        %x2 = arith.mulf %c0, %imgin1 : f64
        %c3 = arith.constant 0.11020906755542557 : f64
        %c4 = arith.constant 1 : index
        %i5 = arith.subi %vj, %c4 : index
        %imgin6 = memref.load %imgIn[%vi, %i5] : memref<?x?xf64>
        %x7 = arith.mulf %c3, %imgin6 : f64
        %x8 = arith.addf %x2, %x7 : f64
        %c9 = arith.constant 0.8408964152537145 : f64
        %y1_10 = memref.load %y1[%vi, %i5] : memref<?x?xf64>
        %x11 = arith.mulf %c9, %y1_10 : f64
        %x12 = arith.addf %x8, %x11 : f64
        %c13 = arith.constant -0.6065306597126334 : f64
        %c14 = arith.constant 2 : index
        %i15 = arith.subi %vj, %c14 : index
        %y1_16 = memref.load %y1[%vi, %i15] : memref<?x?xf64>
        %x17 = arith.mulf %c13, %y1_16 : f64
        %x18 = arith.addf %x12, %x17 : f64
        memref.store %x18, %y1[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%w) {
    nest.block "left_0" (%vj : ordered = 0 to symbol(%h), %vi : spatial = %i to symbol(%w)) {
      %c0 = arith.constant 0.0 : f64
      %c1 = arith.constant 1 : index
      %i2 = arith.subi %h, %c1 : index
      %i3 = arith.subi %i2, %vj : index
      memref.store %c0, %y2[%vi, %i3] : memref<?x?xf64>
    }
    nest.block "left_1" (%vj : ordered = 1 to symbol(%h), %vi : spatial = %i to symbol(%w)) {
      %c0 = arith.constant -0.1836817792590426 : f64
      %c1 = arith.constant 1 : index
      %i2 = arith.subi %h, %c1 : index
      %i3 = arith.subi %i2, %vj : index
      %i4 = arith.addi %i3, %c1 : index
      %imgin5 = memref.load %imgIn[%vi, %i4] : memref<?x?xf64>
      %x6 = arith.mulf %c0, %imgin5 : f64
      %c7 = arith.constant 0.8408964152537145 : f64
      %y2_8 = memref.load %y2[%vi, %i4] : memref<?x?xf64>
      %x9 = arith.mulf %c7, %y2_8 : f64
      %x10 = arith.addf %x6, %x9 : f64
      memref.store %x10, %y2[%vi, %i3] : memref<?x?xf64>
    }
    nest.for %j = 2 to symbol(%h) {
      nest.block "left" (%vj : ordered = %j to symbol(%h), %vi : spatial = %i to symbol(%w)) {
        %c0 = arith.constant -0.1836817792590426 : f64
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %h, %c1 : index
        %i3 = arith.subi %i2, %vj : index
        %i4 = arith.addi %i3, %c1 : index
        %imgin5 = memref.load %imgIn[%vi, %i4] : memref<?x?xf64>
        %x6 = arith.mulf %c0, %imgin5 : f64
        %c7 = arith.constant 0.11444121081831306 : f64
        %c8 = arith.constant 2 : index
        %i9 = arith.addi %i3, %c8 : index
        %imgin10 = memref.load %imgIn[%vi, %i9] : memref<?x?xf64>
        %x11 = arith.mulf %c7, %imgin10 : f64
        %x12 = arith.addf %x6, %x11 : f64
        %c13 = arith.constant 0.8408964152537145 : f64
        %y2_14 = memref.load %y2[%vi, %i4] : memref<?x?xf64>
        %x15 = arith.mulf %c13, %y2_14 : f64
        %x16 = arith.addf %x12, %x15 : f64
        %c17 = arith.constant -0.6065306597126334 : f64
        %y2_18 = memref.load %y2[%vi, %i9] : memref<?x?xf64>
        %x19 = arith.mulf %c17, %y2_18 : f64
        %x20 = arith.addf %x16, %x19 : f64
        memref.store %x20, %y2[%vi, %i3] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%w) {
    nest.for %j = 0 to symbol(%h) {
      nest.block "rows" (%vi : spatial = %i to symbol(%w), %vj : spatial = %j to symbol(%h)) {
        %y1_0 = memref.load %y1[%vi, %vj] : memref<?x?xf64>
        %y2_1 = memref.load %y2[%vi, %vj] : memref<?x?xf64>
        %x2 = arith.addf %y1_0, %y2_1 : f64
        memref.store %x2, %imgOut[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %j = 0 to symbol(%h) {
    nest.block "down_0" (%vi : ordered = 0 to symbol(%w), %vj : spatial = %j to symbol(%h)) {
      %c0 = arith.constant -0.18868165852083035 : f64
      %imgout1 = memref.load %imgOut[%vi, %vj] : memref<?x?xf64>
      %x2 = arith.mulf %c0, %imgout1 : f64
      memref.store %x2, %y1[%vi, %vj] : memref<?x?xf64>
    }
    nest.block "down_1" (%vi : ordered = 1 to symbol(%w), %vj : spatial = %j to symbol(%h)) {
      %c0 = arith.constant -0.18868165852083035 : f64
      %imgout1 = memref.load %imgOut[%vi, %vj] : memref<?x?xf64>
      %x2 = arith.mulf %c0, %imgout1 : f64
      %c3 = arith.constant 0.11020906755542557 : f64
      %c4 = arith.constant 1 : index
      %i5 = arith.subi %vi, %c4 : index
      %imgout6 = memref.load %imgOut[%i5, %vj] : memref<?x?xf64>
      %x7 = arith.mulf %c3, %imgout6 : f64
      %x8 = arith.addf %x2, %x7 : f64
      %c9 = arith.constant 0.8408964152537145 : f64
      %y1_10 = memref.load %y1[%i5, %vj] : memref<?x?xf64>
      %x11 = arith.mulf %c9, %y1_10 : f64
      %x12 = arith.addf %x8, %x11 : f64
      memref.store %x12, %y1[%vi, %vj] : memref<?x?xf64>
    }
  }
  nest.for %i = 2 to symbol(%w) {
    nest.for %j = 0 to symbol(%h) {
      nest.block "down" (%vi : ordered = %i to symbol(%w), %vj : spatial = %j to symbol(%h)) {
        %c0 = arith.constant -0.18868165852083035 : f64
        %imgout1 = memref.load %imgOut[%vi, %vj] : memref<?x?xf64>
        %x2 = arith.mulf %c0, %imgout1 : f64
        %c3 = arith.constant 0.11020906755542557 : f64
        %c4 = arith.constant 1 : index
        %i5 = arith.subi %vi, %c4 : index
        %imgout6 = memref.load %imgOut[%i5, %vj] : memref<?x?xf64>
        %x7 = arith.mulf %c3, %imgout6 : f64
        %x8 = arith.addf %x2, %x7 : f64
        %c9 = arith.constant 0.8408964152537145 : f64
        %y1_10 = memref.load %y1[%i5, %vj] : memref<?x?xf64>
        %x11 = arith.mulf %c9, %y1_10 : f64
        %x12 = arith.addf %x8, %x11 : f64
        %c13 = arith.constant -0.6065306597126334 : f64
        %c14 = arith.constant 2 : index
        %i15 = arith.subi %vi, %c14 : index
        %y1_16 = memref.load %y1[%i15, %vj] : memref<?x?xf64>
        %x17 = arith.mulf %c13, %y1_16 : f64
        %x18 = arith.addf %x12, %x17 : f64
        memref.store %x18, %y1[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %j = 0 to symbol(%h) {
    nest.block "up_0" (%vi : ordered = 0 to symbol(%w), %vj : spatial = %j to symbol(%h)) {
      %c0 = arith.constant 0.0 : f64
      %c1 = arith.constant 1 : index
      %i2 = arith.subi %w, %c1 : index
      %i3 = arith.subi %i2, %vi : index
      memref.store %c0, %y2[%i3, %vj] : memref<?x?xf64>
    }
    nest.block "up_1" (%vi : ordered = 1 to symbol(%w), %vj : spatial = %j to symbol(%h)) {
      %c0 = arith.constant -0.1836817792590426 : f64
      %c1 = arith.constant 1 : index
      %i2 = arith.subi %w, %c1 : index
      %i3 = arith.subi %i2, %vi : index
      %i4 = arith.addi %i3, %c1 : index
      %imgout5 = memref.load %imgOut[%i4, %vj] : memref<?x?xf64>
      %x6 = arith.mulf %c0, %imgout5 : f64
      %c7 = arith.constant 0.8408964152537145 : f64
      %y2_8 = memref.load %y2[%i4, %vj] : memref<?x?xf64>
      %x9 = arith.mulf %c7, %y2_8 : f64
      %x10 = arith.addf %x6, %x9 : f64
      memref.store %x10, %y2[%i3, %vj] : memref<?x?xf64>
    }
  }
  nest.for %i = 2 to symbol(%w) {
    nest.for %j = 0 to symbol(%h) {
      nest.block "up" (%vi : ordered = %i to symbol(%w), %vj : spatial = %j to symbol(%h)) {
        %c0 = arith.constant -0.1836817792590426 : f64
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %w, %c1 : index
        %i3 = arith.subi %i2, %vi : index
        %i4 = arith.addi %i3, %c1 : index
        %imgout5 = memref.load %imgOut[%i4, %vj] : memref<?x?xf64>
        %x6 = arith.mulf %c0, %imgout5 : f64
        %c7 = arith.constant 0.11444121081831306 : f64
        %c8 = arith.constant 2 : index
        %i9 = arith.addi %i3, %c8 : index
        %imgout10 = memref.load %imgOut[%i9, %vj] : memref<?x?xf64>
        %x11 = arith.mulf %c7, %imgout10 : f64
        %x12 = arith.addf %x6, %x11 : f64
        %c13 = arith.constant 0.8408964152537145 : f64
        %y2_14 = memref.load %y2[%i4, %vj] : memref<?x?xf64>
        %x15 = arith.mulf %c13, %y2_14 : f64
        %x16 = arith.addf %x12, %x15 : f64
        %c17 = arith.constant -0.6065306597126334 : f64
        %y2_18 = memref.load %y2[%i9, %vj] : memref<?x?xf64>
        %x19 = arith.mulf %c17, %y2_18 : f64
        %x20 = arith.addf %x16, %x19 : f64
        memref.store %x20, %y2[%i3, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%w) {
    nest.for %j = 0 to symbol(%h) {
      nest.block "columns" (%vi : spatial = %i to symbol(%w), %vj : spatial = %j to symbol(%h)) {
        %y1_0 = memref.load %y1[%vi, %vj] : memref<?x?xf64>
        %y2_1 = memref.load %y2[%vi, %vj] : memref<?x?xf64>
        %x2 = arith.addf %y1_0, %y2_1 : f64
        memref.store %x2, %imgOut[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
}
