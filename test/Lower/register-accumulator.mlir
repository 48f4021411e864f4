// RUN: nestor-opt --lower-to-loops --lower-to-llvm %s | mlir-translate --mlir-to-llvmir | opt -S -passes=sroa | FileCheck %s

// An accumulator in a register buffer goes around the loop as a value: neither
// loaded nor stored there.
//
// CHECK: define hidden i32 @dot(
// CHECK-NOT: alloca
// CHECK: %[[SUM:.*]] = phi <8 x float> [ zeroinitializer, %{{.*}} ], [ %[[NEXT:.*]], %{{.*}} ]
// CHECK: load float,
// CHECK: load <8 x float>
// CHECK-NOT: load
// CHECK-NOT: store
// CHECK: %[[NEXT]] = fadd contract <8 x float> %[[SUM]],
// CHECK-NOT: store
// CHECK: br label
// CHECK: store <8 x float> %[[SUM]],
// CHECK-NEXT: ret i32 0
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
