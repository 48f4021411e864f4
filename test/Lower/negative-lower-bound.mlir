// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A loop that starts below 0 gives a step of an address before the buffer, made
// good by the next one: neither may promise to stay inside.
//
// CHECK-NOT: inbounds
// CHECK: llvm.getelementptr nusw
nest.func @f(%A: memref<8xf32>) {
  nest.for %i = -1 to 7 {
    nest.block "B" (%v : spatial = %i + 1 to 8) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %A[%v] : memref<8xf32>
    }
  }
}
