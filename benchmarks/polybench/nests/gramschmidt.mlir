// A = Q R by modified Gram-Schmidt; A is spent
nest.func @gramschmidt(%A: memref<?x?xf64>, %R: memref<?x?xf64>, %Q: memref<?x?xf64>, %m: index, %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (m, n)>,
      affine_map<()[m, n] -> (n, n)>,
      affine_map<()[m, n] -> (m, n)>]} {
  %norm = nest.alloc : memref<1xf64>
  nest.for %k = 0 to symbol(%n) {
    nest.for %i = 0 to symbol(%m) {
      nest.block "norm" (%vk : ordered = %k to symbol(%n), %vi : reduce = %i to symbol(%m)) init {
        %c0 = arith.constant 0.0 : f64
        %c1 = arith.constant 0 : index
        memref.store %c0, %norm[%c1] : memref<1xf64>
      } {
        %c0 = arith.constant 0 : index
        %norm1 = memref.load %norm[%c0] : memref<1xf64>
        %a2 = memref.load %A[%vi, %vk] : memref<?x?xf64>
        %x3 = arith.mulf %a2, %a2 : f64
        %x4 = arith.addf %norm1, %x3 : f64
        memref.store %x4, %norm[%c0] : memref<1xf64>
      }
    }
    nest.block "R" (%vk : ordered = %k to symbol(%n)) {
      %c0 = arith.constant 0 : index
      %norm1 = memref.load %norm[%c0] : memref<1xf64>
      %x2 = math.sqrt %norm1 : f64
      memref.store %x2, %R[%vk, %vk] : memref<?x?xf64>
    }
    nest.for %i = 0 to symbol(%m) {
      nest.block "Q" (%vk : ordered = %k to symbol(%n), %vi : spatial = %i to symbol(%m)) {
        %a0 = memref.load %A[%vi, %vk] : memref<?x?xf64>
        %r1 = memref.load %R[%vk, %vk] : memref<?x?xf64>
        %x2 = arith.divf %a0, %r1 : f64
        memref.store %x2, %Q[%vi, %vk] : memref<?x?xf64>
      }
    }
    nest.for %j = %k + 1 to symbol(%n) {
      nest.for %i = 0 to symbol(%m) {
        nest.block "project" (%vk : ordered = %k to symbol(%n), %vj : spatial = %j to symbol(%n), %vi : reduce = %i to symbol(%m)) init {
          %c0 = arith.constant 0.0 : f64
          memref.store %c0, %R[%vk, %vj] : memref<?x?xf64>
        } {
          %r0 = memref.load %R[%vk, %vj] : memref<?x?xf64>
          %q1 = memref.load %Q[%vi, %vk] : memref<?x?xf64>
          %a2 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %q1, %a2 : f64
          %x4 = arith.addf %r0, %x3 : f64
          memref.store %x4, %R[%vk, %vj] : memref<?x?xf64>
        }
      }
    }
    nest.for %i = 0 to symbol(%m) {
      nest.for %j = %k + 1 to symbol(%n) {
        nest.block "A" (%vk : ordered = %k to symbol(%n), %vi : spatial = %i to symbol(%m), %vj : spatial = %j to symbol(%n)) {
          %a0 = memref.load %A[%vi, %vj] : memref<?x?xf64>
          %q1 = memref.load %Q[%vi, %vk] : memref<?x?xf64>
          %r2 = memref.load %R[%vk, %vj] : memref<?x?xf64>
          %x3 = arith.mulf %q1, %r2 : f64
          %x4 = arith.subf %a0, %x3 : f64
          memref.store %x4, %A[%vi, %vj] : memref<?x?xf64>
        }
      }
    }
  }
}
