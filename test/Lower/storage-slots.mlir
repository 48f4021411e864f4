// RUN: nestor-opt --lower-to-loops --lower-to-llvm %s | mlir-translate --mlir-to-llvmir | llc -O2 -mtriple=x86_64-linux-gnu | FileCheck %s

// Two slots of 64 KB that do not live at the same time take 64 KB of the stack.
// CHECK-LABEL: slots:
// CHECK: subq $65{{...}}, %rsp
nest.func @slots(%A: memref<16384xf32>, %B: memref<16384xf32>) {
  %T = nest.alloc : memref<16384xf32>
  %U = nest.alloc : memref<16384xf32>
  nest.for %i = 0 to 16384 {
    nest.block "T" (%v : spatial = %i to 16384) {
      %a = memref.load %A[%v] : memref<16384xf32>
      memref.store %a, %T[%v] : memref<16384xf32>
    }
  }
  nest.for %i = 0 to 16384 {
    nest.block "B" (%v : spatial = -%i + 16383 to 16384) {
      %a = memref.load %T[%v] : memref<16384xf32>
      memref.store %a, %B[%v] : memref<16384xf32>
    }
  }
  nest.for %i = 0 to 16384 {
    nest.block "U" (%v : spatial = %i to 16384) {
      %a = memref.load %B[%v] : memref<16384xf32>
      memref.store %a, %U[%v] : memref<16384xf32>
    }
  }
  nest.for %i = 0 to 16384 {
    nest.block "A" (%v : spatial = -%i + 16383 to 16384) {
      %a = memref.load %U[%v] : memref<16384xf32>
      memref.store %a, %A[%v] : memref<16384xf32>
    }
  }
}
