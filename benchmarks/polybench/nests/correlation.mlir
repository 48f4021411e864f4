// corr = correlation coefficients of the columns of data
nest.func @correlation(%data: memref<?x?xf64>, %corr: memref<?x?xf64>, %mean: memref<?xf64>,
    %stddev: memref<?xf64>, %m: index, %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (n, m)>,
      affine_map<()[m, n] -> (m, m)>,
      affine_map<()[m, n] -> (m)>,
      affine_map<()[m, n] -> (m)>]} {
  nest.for %j = 0 to symbol(%m) {
    nest.for %i = 0 to symbol(%n) {
      nest.block "mean" (%vj : spatial = %j to symbol(%m), %vi : reduce = %i to symbol(%n)) init {
        %c0 = arith.constant 0.0 : f64
        memref.store %c0, %mean[%vj] : memref<?xf64>
      } {
        %mean0 = memref.load %mean[%vj] : memref<?xf64>
        %data1 = memref.load %data[%vi, %vj] : memref<?x?xf64>
        %x2 = arith.addf %mean0, %data1 : f64
        memref.store %x2, %mean[%vj] : memref<?xf64>
      }
    }
  }
  nest.for %j = 0 to symbol(%m) {
    nest.block "average" (%vj : spatial = %j to symbol(%m)) {
      %mean0 = memref.load %mean[%vj] : memref<?xf64>
      %n1 = arith.index_cast %n : index to i64
      %x2 = arith.sitofp %n1 : i64 to f64
      %x3 = arith.divf %mean0, %x2 : f64
      memref.store %x3, %mean[%vj] : memref<?xf64>
    }
  }
  nest.for %j = 0 to symbol(%m) {
    nest.for %i = 0 to symbol(%n) {
      nest.block "square" (%vj : spatial = %j to symbol(%m), %vi : reduce = %i to symbol(%n)) init {
        %c0 = arith.constant 0.0 : f64
        memref.store %c0, %stddev[%vj] : memref<?xf64>
      } {
        %stddev0 = memref.load %stddev[%vj] : memref<?xf64>
        %data1 = memref.load %data[%vi, %vj] : memref<?x?xf64>
        %mean2 = memref.load %mean[%vj] : memref<?xf64>
        %x3 = arith.subf %data1, %mean2 : f64
        %x4 = arith.mulf %x3, %x3 : f64
        %x5 = arith.addf %stddev0, %x4 : f64
        memref.store %x5, %stddev[%vj] : memref<?xf64>
      }
    }
  }
  nest.for %j = 0 to symbol(%m) {
    nest.block "stddev" (%vj : spatial = %j to symbol(%m)) {
      %stddev0 = memref.load %stddev[%vj] : memref<?xf64>
      %n1 = arith.index_cast %n : index to i64
      %x2 = arith.sitofp %n1 : i64 to f64
      %x3 = arith.divf %stddev0, %x2 : f64
      %x4 = math.sqrt %x3 : f64
      %c5 = arith.constant 0.1 : f64
      %c6 = arith.constant 1.0 : f64
      %x7 = arith.cmpf ole, %x4, %c5 : f64
      %x8 = arith.select %x7, %c6, %x4 : f64
      memref.store %x8, %stddev[%vj] : memref<?xf64>
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%m) {
      nest.block "center" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%m)) {
        %data0 = memref.load %data[%vi, %vj] : memref<?x?xf64>
        %mean1 = memref.load %mean[%vj] : memref<?xf64>
        %x2 = arith.subf %data0, %mean1 : f64
        %n3 = arith.index_cast %n : index to i64
        %x4 = arith.sitofp %n3 : i64 to f64
        %x5 = math.sqrt %x4 : f64
        %stddev6 = memref.load %stddev[%vj] : memref<?xf64>
        %x7 = arith.mulf %x5, %stddev6 : f64
        %x8 = arith.divf %x2, %x7 : f64
        memref.store %x8, %data[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%m) {
    nest.block "one" (%vi : spatial = %i to symbol(%m)) {
      %c0 = arith.constant 1.0 : f64
      memref.store %c0, %corr[%vi, %vi] : memref<?x?xf64>
    }
  }
  nest.for %i = 0 to symbol(%m) - 1 {
    nest.for %j = %i + 1 to symbol(%m) {
      nest.for %k = 0 to symbol(%n) {
        nest.block "corr" (%vi : spatial = %i to symbol(%m), %vj : spatial = %j to symbol(%m), %vk : reduce = %k to symbol(%n)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %corr[%vi, %vj] : memref<?x?xf64>
        } {
          %corr0 = memref.load %corr[%vi, %vj] : memref<?x?xf64>
          %data1 = memref.load %data[%vk, %vi] : memref<?x?xf64>
          %data2 = memref.load %data[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %data1, %data2 : f64
          %x4 = arith.addf %corr0, %x3 : f64
          memref.store %x4, %corr[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%m) - 1 {
    nest.for %j = %i + 1 to symbol(%m) {
      nest.block "mirror" (%vi : spatial = %i to symbol(%m), %vj : spatial = %j to symbol(%m)) {
        %corr0 = memref.load %corr[%vi, %vj] : memref<?x?xf64>
        memref.store %corr0, %corr[%vj, %vi] : memref<?x?xf64>
      }
    }
  }
}
