// RUN: nestor-opt --test-interpret="function=sums iota=1 check-contract=1" -o /dev/null %s | FileCheck %s
// RUN: not nestor-opt --test-interpret="function=outside iota=1" -o /dev/null %s 2>&1 | FileCheck --check-prefix=OUTSIDE %s

// The nest of a block sees its iterators; the nest of its init runs when the
// reduction starts.
// CHECK: buffer 1: 2xf32 [15, 51]
nest.func @sums(%A: memref<2x6xf32>, %C: memref<2xf32>) {
  nest.for %i = 0 to 2 {
    nest.for %ko = 0 to 3 {
      nest.block "C_o" (%v : spatial = %i to 2, %w : reduce = %ko to 3) init {
        nest.block "Z" (%vi : spatial = %v to 2) {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<2xf32>
        }
      } {
        nest.for %k = 0 to 2 {
          nest.block "C" (%vi : spatial = %v to 2, %vk : reduce = %w * 2 + %k to 6) {
            %a = memref.load %A[%vi, %vk] : memref<2x6xf32>
            %c = memref.load %C[%vi] : memref<2xf32>
            %s = arith.addf %c, %a : f32
            memref.store %s, %C[%vi] : memref<2xf32>
          }
        }
      }
    }
  }
}

// OUTSIDE: iterator 0 of block "B" is 2, outside [0, 2)
nest.func @outside(%A: memref<2xf32>, %B: memref<2xf32>) {
  nest.for %i = 0 to 2 {
    nest.block "B_o" (%v : spatial = %i to 2) {
      nest.block "B" (%vi : spatial = %v + 1 to 2) {
        %a = memref.load %A[%vi] : memref<2xf32>
        memref.store %a, %B[%vi] : memref<2xf32>
      }
    }
  }
}
