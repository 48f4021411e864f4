// A[r, q, :] = A[r, q, :] C4
nest.func @doitgen(%A: memref<?x?x?xf64>, %C4: memref<?x?xf64>, %nr: index, %nq: index, %np: index)
    attributes {shapes = [
      affine_map<()[nr, nq, np] -> (nr, nq, np)>,
      affine_map<()[nr, nq, np] -> (np, np)>]} {
  %sum = nest.alloc [symbol(%nr), symbol(%nq), symbol(%np)] : memref<?x?x?xf64>
  nest.for %r = 0 to symbol(%nr) {
    nest.for %q = 0 to symbol(%nq) {
      nest.for %p = 0 to symbol(%np) {
        nest.for %s = 0 to symbol(%np) {
          nest.block "sum" (%vr : spatial = %r to symbol(%nr), %vq : spatial = %q to symbol(%nq), %vp : spatial = %p to symbol(%np), %vs : reduce = %s to symbol(%np)) init {
            %c0 = arith.constant 0.0 : f64
            memref.store %c0, %sum[%vr, %vq, %vp] : memref<?x?x?xf64>
          } {
            %sum0 = memref.load %sum[%vr, %vq, %vp] : memref<?x?x?xf64>
            %a1 = memref.load %A[%vr, %vq, %vs] : memref<?x?x?xf64>
            %c4_2 = memref.load %C4[%vs, %vp] : memref<?x?xf64>
            %x3 = arith.mulf %a1, %c4_2 : f64
            %x4 = arith.addf %sum0, %x3 : f64
            memref.store %x4, %sum[%vr, %vq, %vp] : memref<?x?x?xf64>
          }
        }
      }
    }
  }
  nest.for %r = 0 to symbol(%nr) {
    nest.for %q = 0 to symbol(%nq) {
      nest.for %p = 0 to symbol(%np) {
        nest.block "A" (%vr : spatial = %r to symbol(%nr), %vq : spatial = %q to symbol(%nq), %vp : spatial = %p to symbol(%np)) {
          %sum0 = memref.load %sum[%vr, %vq, %vp] : memref<?x?x?xf64>
          memref.store %sum0, %A[%vr, %vq, %vp] : memref<?x?x?xf64>
        }
      }
    }
  }
}
