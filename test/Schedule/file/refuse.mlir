// RUN: not nestor-opt %s --schedule=%S/Inputs/tile.mlir 2>&1 | FileCheck %s
// RUN: nestor-opt %s --apply-schedule="file=%S/Inputs/tile.mlir skip-refused" 2>&1 | FileCheck %s --check-prefix=SKIP
// RUN: not nestor-opt %s --schedule=%S/Inputs/none.mlir 2>&1 | FileCheck %s --check-prefix=NONE

// A step that is refused ends it; its notes say where and what to do.
// CHECK: Inputs/tile.mlir:7:5: error: step 5, transform.nest.reorder: steps of block 'B' depend on each other and would change places
// CHECK: refuse.mlir:14:7: note: through argument 0; skew the loops first
// SKIP: remark: left out: step 5, transform.nest.reorder: steps of block 'B' depend
// SKIP: nest.for %{{.*}} = 0 to 4 unroll {
// NONE: could not open input file
nest.func @f(%A: memref<17x5xf32>) {
  nest.for %i = 0 to 16 {
    nest.for %j = 0 to 4 {
      nest.block "B" (%u : spatial = %i to 16, %v : spatial = %j to 4) {
        %one = arith.constant 1 : index
        %x = arith.addi %u, %one : index
        %y = arith.addi %v, %one : index
        %a = memref.load %A[%u, %y] : memref<17x5xf32>
        memref.store %a, %A[%x, %v] : memref<17x5xf32>
      }
    }
  }
}
