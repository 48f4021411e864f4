// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// RUN: nestor-opt --lower-to-loops --lower-to-llvm %s | FileCheck %s --check-prefix=LLVM

// A predicate over lanes is a mask of the loads and stores; what is computed in
// between needs none. The function is inline arithmetic in the end.
//
// CHECK: %[[MASK:.*]] = arith.cmpi sge, %{{.*}} : vector<8xindex>
// CHECK: %[[A:.*]] = llvm.intr.masked.load %{{.*}}, %[[MASK]], %{{.*}} -> vector<8xf32>
// CHECK: %[[E:.*]] = math.exp %[[A]] {{.*}} : vector<8xf32>
// CHECK: llvm.intr.masked.store %[[E]], %{{.*}}, %[[MASK]]
//
// LLVM: llvm.func hidden @tail
// LLVM-NOT: math.exp
// LLVM-NOT: llvm.call
// LLVM: llvm.intr.masked.load
// LLVM: llvm.intr.fma
// LLVM: llvm.intr.masked.store
nest.func @tail(%A: memref<27xf32>, %B: memref<27xf32>) {
  nest.for %o = 0 to 4 {
    nest.for %l = 0 to 8 vectorize {
      nest.block "B" (%v : spatial = %o * 8 + %l to 27) where (26 - %o * 8 - %l >= 0) {
        %a = memref.load %A[%v] : memref<27xf32>
        %b = math.exp %a : f32
        memref.store %b, %B[%v] : memref<27xf32>
      }
    }
  }
}
