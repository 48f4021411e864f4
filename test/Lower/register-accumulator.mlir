// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// An accumulator in a register buffer goes around the loop as a value: it is
// nowhere in memory.
//
// CHECK: llvm.func hidden @dot(
// CHECK-NOT: llvm.alloca
// CHECK: %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[T:.*]] = %{{.*}}) -> (vector<8xf32>)
// CHECK: llvm.load {{.*}} -> f32
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK-NOT: llvm.load
// CHECK-NOT: llvm.store
// CHECK: %[[NEXT:.*]] = arith.addf %[[T]], %{{.*}} : vector<8xf32>
// CHECK-NEXT: scf.yield %[[NEXT]]
// CHECK: llvm.store %[[SUM]], %{{.*}} : vector<8xf32>
// CHECK-NOT: llvm.store
nest.func @dot(%A: memref<64xf32>, %B: memref<64x8xf32>, %C: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32, "register">
  nest.for %l = 0 to 8 vectorize {
    nest.block "zero" (%v : spatial = %l to 8) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %T[%v] : memref<8xf32, "register">
    }
  }
  nest.for %k = 0 to 64 {
    nest.for %l = 0 to 8 vectorize {
      nest.block "T" (%v : spatial = %l to 8, %vk : reduce = %k to 64) {
        %a = memref.load %A[%vk] : memref<64xf32>
        %b = memref.load %B[%vk, %v] : memref<64x8xf32>
        %t = memref.load %T[%v] : memref<8xf32, "register">
        %m = arith.mulf %a, %b : f32
        %s = arith.addf %t, %m : f32
        memref.store %s, %T[%v] : memref<8xf32, "register">
      }
    }
  }
  nest.for %l = 0 to 8 vectorize {
    nest.block "C" (%v : spatial = %l to 8) {
      %t = memref.load %T[%v] : memref<8xf32, "register">
      memref.store %t, %C[%v] : memref<8xf32>
    }
  }
}
