// s = A' r; q = A p
nest.func @bicg(%A: memref<?x?xf64>, %s: memref<?xf64>, %q: memref<?xf64>, %p: memref<?xf64>,
    %r: memref<?xf64>, %m: index, %n: index)
    attributes {shapes = [
      affine_map<()[m, n] -> (n, m)>,
      affine_map<()[m, n] -> (m)>,
      affine_map<()[m, n] -> (n)>,
      affine_map<()[m, n] -> (m)>,
      affine_map<()[m, n] -> (n)>]} {
  nest.for %j = 0 to symbol(%m) {
    nest.block "zero" (%vj : spatial = %j to symbol(%m)) {
      %c0 = arith.constant 0.0 : f64
      memref.store %c0, %s[%vj] : memref<?xf64>
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to symbol(%m) {
      nest.block "s" (%vj : spatial = %j to symbol(%m), %vi : reduce = %i to symbol(%n)) {
        %s0 = memref.load %s[%vj] : memref<?xf64>
        %r1 = memref.load %r[%vi] : memref<?xf64>
        %a2 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %x3 = arith.mulf %r1, %a2 : f64
        %x4 = arith.addf %s0, %x3 : f64
        memref.store %x4, %s[%vj] : memref<?xf64>
      }
      nest.block "q" (%vi : spatial = %i to symbol(%n), %vj : reduce = %j to symbol(%m)) init {
        %c0 = arith.constant 0.0 : f64
        memref.store %c0, %q[%vi] : memref<?xf64>
      } {
        %q0 = memref.load %q[%vi] : memref<?xf64>
        %a1 = memref.load %A[%vi, %vj] : memref<?x?xf64>
        %p2 = memref.load %p[%vj] : memref<?xf64>
        %x3 = arith.mulf %a1, %p2 : f64
        %x4 = arith.addf %q0, %x3 : f64
        memref.store %x4, %q[%vi] : memref<?xf64>
      }
    }
  }
}
