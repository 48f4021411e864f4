// cov = (data - mean)' (data - mean) / (n - 1)
nest.func @covariance(%data: memref<?x?xf64>, %cov: memref<?x?xf64>, %mean: memref<?xf64>, %m: index,
    %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (n, m)>,
      affine_map<()[m, n] -> (m, m)>,
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
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%m) {
      nest.block "center" (%vi : spatial = %i to symbol(%n), %vj : spatial = %j to symbol(%m)) {
        %data0 = memref.load %data[%vi, %vj] : memref<?x?xf64>
        %mean1 = memref.load %mean[%vj] : memref<?xf64>
        %x2 = arith.subf %data0, %mean1 : f64
        memref.store %x2, %data[%vi, %vj] : memref<?x?xf64>
      }
    }
  }
  nest.for %i = 0 to symbol(%m) {
    nest.for %j = %i to symbol(%m) {
      nest.for %k = 0 to symbol(%n) {
        nest.block "cov" (%vi : spatial = %i to symbol(%m), %vj : spatial = %j to symbol(%m), %vk : reduce = %k to symbol(%n)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %cov[%vi, %vj] : memref<?x?xf64>
        } {
          %cov0 = memref.load %cov[%vi, %vj] : memref<?x?xf64>
          %data1 = memref.load %data[%vk, %vi] : memref<?x?xf64>
          %data2 = memref.load %data[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %data1, %data2 : f64
          %x4 = arith.addf %cov0, %x3 : f64
          memref.store %x4, %cov[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
  nest.for %i = 0 to symbol(%m) {
    nest.for %j = %i to symbol(%m) {
      nest.block "scale" (%vi : spatial = %i to symbol(%m), %vj : spatial = %j to symbol(%m)) {
        %cov0 = memref.load %cov[%vi, %vj] : memref<?x?xf64>
        %c1 = arith.constant 1 : index
        %i2 = arith.subi %n, %c1 : index
        %n3 = arith.index_cast %i2 : index to i64
        %x4 = arith.sitofp %n3 : i64 to f64
        %x5 = arith.divf %cov0, %x4 : f64
        memref.store %x5, %cov[%vi, %vj] : memref<?x?xf64>
        %cov6 = memref.load %cov[%vi, %vj] : memref<?x?xf64>
        memref.store %cov6, %cov[%vj, %vi] : memref<?x?xf64>
      }
    }
  }
}
