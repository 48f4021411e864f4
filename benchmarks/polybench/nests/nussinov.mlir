// The most base pairs of an RNA sequence. Row i of the table is n - 1 - r at step r.
nest.func @nussinov(%seq: memref<?xi8>, %table: memref<?x?xi32>, %n: index)
    attributes {shapes = [
      affine_map<()[n] -> (n)>,
      affine_map<()[n] -> (n, n)>]} {
  nest.for %r = 0 to symbol(%n) {
    nest.for %j = symbol(%n) - %r to symbol(%n) {
      nest.block "left" (%vr : ordered = %r to symbol(%n), %vj : ordered = %j to symbol(%n)) {
        %c0 = arith.constant 1 : index
        %i1 = arith.subi %n, %c0 : index
        %i2 = arith.subi %i1, %vr : index
        %table3 = memref.load %table[%i2, %vj] : memref<?x?xi32>
        %i4 = arith.subi %vj, %c0 : index
        %table5 = memref.load %table[%i2, %i4] : memref<?x?xi32>
        %x6 = arith.maxsi %table3, %table5 : i32
        memref.store %x6, %table[%i2, %vj] : memref<?x?xi32>
      }
      nest.block "below" (%vr : ordered = %r to symbol(%n), %vj : ordered = %j to symbol(%n)) {
        %c0 = arith.constant 1 : index
        %i1 = arith.subi %n, %c0 : index
        %i2 = arith.subi %i1, %vr : index
        %table3 = memref.load %table[%i2, %vj] : memref<?x?xi32>
        %i4 = arith.subi %n, %vr : index
        %table5 = memref.load %table[%i4, %vj] : memref<?x?xi32>
        %x6 = arith.maxsi %table3, %table5 : i32
        memref.store %x6, %table[%i2, %vj] : memref<?x?xi32>
      }
      nest.block "pair" (%vr : ordered = %r to symbol(%n), %vj : ordered = %j to symbol(%n)) {
        %c0 = arith.constant 1 : index
        %i1 = arith.subi %n, %c0 : index
        %i2 = arith.subi %i1, %vr : index
        %table3 = memref.load %table[%i2, %vj] : memref<?x?xi32>
        %i4 = arith.subi %n, %vr : index
        %i5 = arith.subi %vj, %c0 : index
        %table6 = memref.load %table[%i4, %i5] : memref<?x?xi32>
        %seq7 = memref.load %seq[%i2] : memref<?xi8>
        %seq8 = memref.load %seq[%vj] : memref<?xi8>
        %x9 = arith.addi %seq7, %seq8 : i8
        %c10 = arith.constant 3 : i8
        %m11 = arith.cmpi eq, %x9, %c10 : i8
        %m12 = arith.cmpi slt, %i4, %vj : index
        %m13 = arith.andi %m11, %m12 : i1
        %x14 = arith.extui %m13 : i1 to i32
        %x15 = arith.addi %table6, %x14 : i32
        %x16 = arith.maxsi %table3, %x15 : i32
        memref.store %x16, %table[%i2, %vj] : memref<?x?xi32>
      }
      nest.for %k = symbol(%n) - %r to %j {
        nest.block "cut" (%vr : ordered = %r to symbol(%n), %vj : ordered = %j to symbol(%n), %vk : reduce = %k to symbol(%n)) {
          %c0 = arith.constant 1 : index
          %i1 = arith.subi %n, %c0 : index
          %i2 = arith.subi %i1, %vr : index
          %table3 = memref.load %table[%i2, %vj] : memref<?x?xi32>
          %table4 = memref.load %table[%i2, %vk] : memref<?x?xi32>
          %i5 = arith.addi %vk, %c0 : index
          %table6 = memref.load %table[%i5, %vj] : memref<?x?xi32>
          %x7 = arith.addi %table4, %table6 : i32
          %x8 = arith.maxsi %table3, %x7 : i32
          memref.store %x8, %table[%i2, %vj] : memref<?x?xi32>
        }
      }
    }
  }
}
