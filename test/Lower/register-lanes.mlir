// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// Masked lanes are selected; an element of a range is a lane of its vector.
//
// CHECK: llvm.func hidden @lanes(
// CHECK-NOT: llvm.alloca
// CHECK: %[[A:.*]] = llvm.intr.masked.load
// CHECK: %[[T:.*]] = arith.select %{{.*}}, %[[A]], %{{.*}} : vector<8xi1>, vector<8xf32>
// CHECK: %[[FIRST:.*]] = vector.extract %[[T]][0] : f32 from vector<8xf32>
// CHECK: vector.insert %{{.*}}, %[[T]] [3] : f32 into vector<8xf32>
nest.func @lanes(%A: memref<6xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32, "register">
  nest.for %l = 0 to 8 vectorize {
    nest.block "T" (%v : spatial = %l to 8) where (-%l + 5 >= 0) {
      %a = memref.load %A[%v] : memref<6xf32>
      memref.store %a, %T[%v] : memref<8xf32, "register">
    }
  }
  nest.block "move" () {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %t = memref.load %T[%c0] : memref<8xf32, "register">
    memref.store %t, %T[%c3] : memref<8xf32, "register">
  }
  nest.for %l = 0 to 8 vectorize {
    nest.block "B" (%v : spatial = %l to 8) where (-%l + 5 >= 0) {
      %t = memref.load %T[%v] : memref<8xf32, "register">
      memref.store %t, %B[%v] : memref<8xf32>
    }
  }
}
