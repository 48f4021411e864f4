// RUN: nestor-opt --test-interpret="function=scale sizes=3 iota=1" -o /dev/null %s | FileCheck %s
// RUN: not nestor-opt --test-interpret="function=scale" -o /dev/null %s 2>&1 | FileCheck --check-prefix=SIZES %s
// RUN: not nestor-opt --test-interpret="function=missing" -o /dev/null %s 2>&1 | FileCheck --check-prefix=MISSING %s
// RUN: not nestor-opt --test-interpret="function=racy check-races=1" -o /dev/null %s 2>&1 | FileCheck --check-prefix=RACE %s
// RUN: not nestor-opt --test-interpret="function=racy check-contract=1" -o /dev/null %s 2>&1 | FileCheck --check-prefix=CONTRACT %s

// CHECK: buffer 1: 3xf32 [0, 2, 4]
// SIZES: error: sizes= has the wrong length
// MISSING: error: no func.func or nest.func is named 'missing'
nest.func @scale(%A: memref<?xf32>, %B: memref<?xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
  nest.for %i = 0 to symbol(%n) {
    nest.block "B" (%v : spatial = %i to symbol(%n)) {
      %a = memref.load %A[%v] : memref<?xf32>
      %b = arith.addf %a, %a : f32
      memref.store %b, %B[%v] : memref<?xf32>
    }
  }
}

// RACE: error: interp: racy: memref.store
// RACE-SAME: writes element [0] in iteration 1 of a parallel loop, which iteration 0 also touches
// CONTRACT: error: interp: racy: memref.store
// CONTRACT-SAME: writes element [0], which another spatial point of block "B" wrote
nest.func @racy(%B: memref<1xf32>) {
  nest.for %i = 0 to 4 parallel {
    nest.block "B" (%v : spatial = %i to 4) {
      %c0 = arith.constant 0 : index
      %z = arith.constant 0.0 : f32
      memref.store %z, %B[%c0] : memref<1xf32>
    }
  }
}
