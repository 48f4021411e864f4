// Heat in a square by alternating directions: columns into v, rows back into u.
// coef holds a, b, c of the columns, then d, e, f of the rows.
nest.func @adi(%u: memref<?x?xf64>, %v: memref<?x?xf64>, %p: memref<?x?xf64>, %q: memref<?x?xf64>, %n: index,
    %steps: index)
    attributes {shapes = [
      affine_map<()[n, steps] -> (n, n)>,
      affine_map<()[n, steps] -> (n, n)>,
      affine_map<()[n, steps] -> (n, n)>,
      affine_map<()[n, steps] -> (n, n)>]} {
  %coef = nest.alloc : memref<6xf64>
  nest.block "coefficients" (%vo : spatial = 0 to 1) {
    %c0 = arith.constant 2.0 : f64
    %c1 = arith.constant 1.0 : f64
    %n2 = arith.index_cast %steps : index to i64
    %x3 = arith.sitofp %n2 : i64 to f64
    %x4 = arith.divf %c1, %x3 : f64
    %x5 = arith.mulf %c0, %x4 : f64
    %n6 = arith.index_cast %n : index to i64
    %x7 = arith.sitofp %n6 : i64 to f64
    %x8 = arith.divf %c1, %x7 : f64
    %x9 = arith.mulf %x8, %x8 : f64
    %x10 = arith.divf %x5, %x9 : f64
    %x11 = arith.mulf %c1, %x4 : f64
    %x12 = arith.divf %x11, %x9 : f64
    %x13 = arith.negf %x10 : f64
    %x14 = arith.divf %x13, %c0 : f64
    %c15 = arith.constant 0 : index
    memref.store %x14, %coef[%c15] : memref<6xf64>
    %x16 = arith.addf %c1, %x10 : f64
    %c17 = arith.constant 1 : index
    memref.store %x16, %coef[%c17] : memref<6xf64>
    %c18 = arith.constant 2 : index
    memref.store %x14, %coef[%c18] : memref<6xf64>
    %x19 = arith.negf %x12 : f64
    %x20 = arith.divf %x19, %c0 : f64
    %c21 = arith.constant 3 : index
    memref.store %x20, %coef[%c21] : memref<6xf64>
    %x22 = arith.addf %c1, %x12 : f64
    %c23 = arith.constant 4 : index
    memref.store %x22, %coef[%c23] : memref<6xf64>
    %c24 = arith.constant 5 : index
    memref.store %x20, %coef[%c24] : memref<6xf64>
  }
  nest.for %t = 0 to symbol(%steps) {
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.block "top" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n)) {
        %c0 = arith.constant 1.0 : f64
        %c1 = arith.constant 0 : index
        memref.store %c0, %v[%c1, %vi] : memref<?x?xf64>
        %c2 = arith.constant 0.0 : f64
        memref.store %c2, %p[%vi, %c1] : memref<?x?xf64>
        memref.store %c0, %q[%vi, %c1] : memref<?x?xf64>
      }
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "down" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
          %c0 = arith.constant 2 : index
          %coef1 = memref.load %coef[%c0] : memref<6xf64>
          %x2 = arith.negf %coef1 : f64
          %c3 = arith.constant 0 : index
          %coef4 = memref.load %coef[%c3] : memref<6xf64>
          %c5 = arith.constant 1 : index
          %i6 = arith.subi %vj, %c5 : index
          %p7 = memref.load %p[%vi, %i6] : memref<?x?xf64>
          %x8 = arith.mulf %coef4, %p7 : f64
          %coef9 = memref.load %coef[%c5] : memref<6xf64>
          %x10 = arith.addf %x8, %coef9 : f64
          %x11 = arith.divf %x2, %x10 : f64
          memref.store %x11, %p[%vi, %vj] : memref<?x?xf64>
          %c12 = arith.constant 3 : index
          %coef13 = memref.load %coef[%c12] : memref<6xf64>
          %x14 = arith.negf %coef13 : f64
          %i15 = arith.subi %vi, %c5 : index
          %u16 = memref.load %u[%vj, %i15] : memref<?x?xf64>
          %x17 = arith.mulf %x14, %u16 : f64
          %c18 = arith.constant 1.0 : f64
          %c19 = arith.constant 2.0 : f64
          %x20 = arith.mulf %c19, %coef13 : f64
          %x21 = arith.addf %c18, %x20 : f64
          %u22 = memref.load %u[%vj, %vi] : memref<?x?xf64>
          %x23 = arith.mulf %x21, %u22 : f64
          %x24 = arith.addf %x17, %x23 : f64
          %c25 = arith.constant 5 : index
          %coef26 = memref.load %coef[%c25] : memref<6xf64>
          %i27 = arith.addi %vi, %c5 : index
          %u28 = memref.load %u[%vj, %i27] : memref<?x?xf64>
          %x29 = arith.mulf %coef26, %u28 : f64
          %x30 = arith.subf %x24, %x29 : f64
          %q31 = memref.load %q[%vi, %i6] : memref<?x?xf64>
          %x32 = arith.mulf %coef4, %q31 : f64
          %x33 = arith.subf %x30, %x32 : f64
          %p34 = memref.load %p[%vi, %i6] : memref<?x?xf64>
          %x35 = arith.mulf %coef4, %p34 : f64
          %x36 = arith.addf %x35, %coef9 : f64
          %x37 = arith.divf %x33, %x36 : f64
          memref.store %x37, %q[%vi, %vj] : memref<?x?xf64>
        }
      }
      nest.block "bottom" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n)) {
        %c0 = arith.constant 1.0 : f64
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %n, %c1 : index
        memref.store %c0, %v[%i2, %vi] : memref<?x?xf64>
      }
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "up" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
          %c0 = arith.constant 1 : index
          %i1 = arith.subi %n, %c0 : index
          %i2 = arith.subi %i1, %vj : index
          %p3 = memref.load %p[%vi, %i2] : memref<?x?xf64>
          %i4 = arith.subi %n, %vj : index
          %v5 = memref.load %v[%i4, %vi] : memref<?x?xf64>
          %x6 = arith.mulf %p3, %v5 : f64
          %q7 = memref.load %q[%vi, %i2] : memref<?x?xf64>
          %x8 = arith.addf %x6, %q7 : f64
          memref.store %x8, %v[%i2, %vi] : memref<?x?xf64>
        }
      }
    }
    nest.for %i = 1 to symbol(%n) - 1 {
      nest.block "west" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n)) {
        %c0 = arith.constant 1.0 : f64
        %c1 = arith.constant 0 : index
        memref.store %c0, %u[%vi, %c1] : memref<?x?xf64>
        %c2 = arith.constant 0.0 : f64
        memref.store %c2, %p[%vi, %c1] : memref<?x?xf64>
        memref.store %c0, %q[%vi, %c1] : memref<?x?xf64>
      }
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "right" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
          %c0 = arith.constant 5 : index
          %coef1 = memref.load %coef[%c0] : memref<6xf64>
          %x2 = arith.negf %coef1 : f64
          %c3 = arith.constant 3 : index
          %coef4 = memref.load %coef[%c3] : memref<6xf64>
          %c5 = arith.constant 1 : index
          %i6 = arith.subi %vj, %c5 : index
          %p7 = memref.load %p[%vi, %i6] : memref<?x?xf64>
          %x8 = arith.mulf %coef4, %p7 : f64
          %c9 = arith.constant 4 : index
          %coef10 = memref.load %coef[%c9] : memref<6xf64>
          %x11 = arith.addf %x8, %coef10 : f64
          %x12 = arith.divf %x2, %x11 : f64
          memref.store %x12, %p[%vi, %vj] : memref<?x?xf64>
          %c13 = arith.constant 0 : index
          %coef14 = memref.load %coef[%c13] : memref<6xf64>
          %x15 = arith.negf %coef14 : f64
          %i16 = arith.subi %vi, %c5 : index
          %v17 = memref.load %v[%i16, %vj] : memref<?x?xf64>
          %x18 = arith.mulf %x15, %v17 : f64
          %c19 = arith.constant 1.0 : f64
          %c20 = arith.constant 2.0 : f64
          %x21 = arith.mulf %c20, %coef14 : f64
          %x22 = arith.addf %c19, %x21 : f64
          %v23 = memref.load %v[%vi, %vj] : memref<?x?xf64>
          %x24 = arith.mulf %x22, %v23 : f64
          %x25 = arith.addf %x18, %x24 : f64
          %c26 = arith.constant 2 : index
          %coef27 = memref.load %coef[%c26] : memref<6xf64>
          %i28 = arith.addi %vi, %c5 : index
          %v29 = memref.load %v[%i28, %vj] : memref<?x?xf64>
          %x30 = arith.mulf %coef27, %v29 : f64
          %x31 = arith.subf %x25, %x30 : f64
          %q32 = memref.load %q[%vi, %i6] : memref<?x?xf64>
          %x33 = arith.mulf %coef4, %q32 : f64
          %x34 = arith.subf %x31, %x33 : f64
          %p35 = memref.load %p[%vi, %i6] : memref<?x?xf64>
          %x36 = arith.mulf %coef4, %p35 : f64
          %x37 = arith.addf %x36, %coef10 : f64
          %x38 = arith.divf %x34, %x37 : f64
          memref.store %x38, %q[%vi, %vj] : memref<?x?xf64>
        }
      }
      nest.block "east" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n)) {
        %c0 = arith.constant 1.0 : f64
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %n, %c1 : index
        memref.store %c0, %u[%vi, %i2] : memref<?x?xf64>
      }
      nest.for %j = 1 to symbol(%n) - 1 {
        nest.block "left" (%vt : ordered = %t to symbol(%steps), %vi : spatial = %i to symbol(%n), %vj : ordered = %j to symbol(%n)) {
          %c0 = arith.constant 1 : index
          %i1 = arith.subi %n, %c0 : index
          %i2 = arith.subi %i1, %vj : index
          %p3 = memref.load %p[%vi, %i2] : memref<?x?xf64>
          %i4 = arith.subi %n, %vj : index
          %u5 = memref.load %u[%vi, %i4] : memref<?x?xf64>
          %x6 = arith.mulf %p3, %u5 : f64
          %q7 = memref.load %q[%vi, %i2] : memref<?x?xf64>
          %x8 = arith.addf %x6, %q7 : f64
          memref.store %x8, %u[%vi, %i2] : memref<?x?xf64>
        }
      }
    }
  }
}
