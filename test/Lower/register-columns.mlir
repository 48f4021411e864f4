// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// A tile whose rows are written by lanes and whose columns are read by lanes:
// no memory, shuffles of two vectors each. Four rows of four: two stages.
// CHECK-LABEL: llvm.func hidden @transpose(
// CHECK-NOT: llvm.alloca
// CHECK-NOT: llvm.intr.masked.gather
// CHECK: %[[R0:.*]] = llvm.load
// CHECK: %[[R1:.*]] = llvm.load
// CHECK: %[[R2:.*]] = llvm.load
// CHECK: %[[R3:.*]] = llvm.load
// CHECK: %[[A:.*]] = vector.shuffle %[[R0]], %[[R1]] [0, 4, 1, 5]
// CHECK: %[[B:.*]] = vector.shuffle %[[R2]], %[[R3]] [0, 4, 1, 5]
// CHECK: vector.shuffle %[[A]], %[[B]] [0, 1, 4, 5]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [2, 3, 6, 7]
// CHECK-NOT: vector.extract
nest.func @transpose(%A: memref<4x4xf32>, %B: memref<4x4xf32>) {
  %T = nest.alloc : memref<4x4xf32, "register">
  nest.for %r = 0 to 4 unroll {
    nest.for %l = 0 to 4 vectorize {
      nest.block "T" (%vr : spatial = %r to 4, %v : spatial = %l to 4) {
        %a = memref.load %A[%vr, %v] : memref<4x4xf32>
        memref.store %a, %T[%vr, %v] : memref<4x4xf32, "register">
      }
    }
  }
  nest.for %c = 0 to 4 unroll {
    nest.for %l = 0 to 4 vectorize {
      nest.block "B" (%vc : spatial = %c to 4, %v : spatial = %l to 4) {
        %t = memref.load %T[%v, %vc] : memref<4x4xf32, "register">
        memref.store %t, %B[%vc, %v] : memref<4x4xf32>
      }
    }
  }
}

// -----

// Lanes two elements apart: elements of a value.
// CHECK-LABEL: llvm.func hidden @apart(
// CHECK-NOT: llvm.alloca
// CHECK: %[[E:.*]] = vector.extract %{{.*}}[6]
// CHECK: vector.from_elements {{.*}}, %[[E]]
nest.func @apart(%A: memref<8xf32>, %B: memref<4xf32>) {
  %T = nest.alloc : memref<8xf32, "register">
  nest.for %l = 0 to 8 vectorize {
    nest.block "T" (%v : spatial = %l to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %T[%v] : memref<8xf32, "register">
    }
  }
  nest.for %l = 0 to 4 vectorize {
    nest.block "B" (%v : spatial = %l to 4) {
      %c2 = arith.constant 2 : index
      %i = arith.muli %v, %c2 : index
      %t = memref.load %T[%i] : memref<8xf32, "register">
      memref.store %t, %B[%v] : memref<4xf32>
    }
  }
}
