// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// Where the element of an access is not known, a register buffer stays on the
// stack.

// A loop that indexes it is left serial.
// CHECK-LABEL: llvm.func hidden @serial(
// CHECK: %[[SLOT:.*]] = llvm.alloca %{{.*}} x !llvm.array<8 x f32>
// CHECK: llvm.intr.lifetime.start %[[SLOT]]
// CHECK: scf.for
// CHECK: %[[AT:.*]] = llvm.getelementptr inbounds %[[SLOT]][%{{.*}}]
// CHECK: llvm.store %{{.*}}, %[[AT]]
// CHECK: llvm.load %[[SLOT]]
// CHECK: llvm.intr.lifetime.end %[[SLOT]]
nest.func @serial(%A: memref<8xf32>, %B: memref<1xf32>) {
  %T = nest.alloc : memref<8xf32, "register">
  nest.for %l = 0 to 8 {
    nest.block "T" (%v : spatial = %l to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %T[%v] : memref<8xf32, "register">
    }
  }
  nest.block "B" () {
    %c0 = arith.constant 0 : index
    %t = memref.load %T[%c0] : memref<8xf32, "register">
    memref.store %t, %B[%c0] : memref<1xf32>
  }
}

// -----

// Lanes at places that data says: a gather.
// CHECK-LABEL: llvm.func hidden @gather(
// CHECK: llvm.alloca %{{.*}} x !llvm.array<8 x f32>
// CHECK: llvm.intr.masked.gather
nest.func @gather(%A: memref<8xf32>, %I: memref<4xindex>, %B: memref<4xf32>) {
  %T = nest.alloc : memref<8xf32, "register">
  nest.for %l = 0 to 8 vectorize {
    nest.block "T" (%v : spatial = %l to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %T[%v] : memref<8xf32, "register">
    }
  }
  nest.for %l = 0 to 4 vectorize {
    nest.block "B" (%v : spatial = %l to 4) {
      %i = memref.load %I[%v] : memref<4xindex>
      %t = memref.load %T[%i] : memref<8xf32, "register">
      memref.store %t, %B[%v] : memref<4xf32>
    }
  }
}

// -----

// Ranges that overlap, none of which covers the other.
// CHECK-LABEL: llvm.func hidden @overlap(
// CHECK: llvm.alloca %{{.*}} x !llvm.array<6 x f32>
nest.func @overlap(%A: memref<4xf32>, %B: memref<4xf32>) {
  %T = nest.alloc : memref<6xf32, "register">
  nest.for %l = 0 to 4 vectorize {
    nest.block "T" (%v : spatial = %l to 4) {
      %a = memref.load %A[%v] : memref<4xf32>
      memref.store %a, %T[%v] : memref<6xf32, "register">
    }
  }
  nest.for %l = 0 to 4 vectorize {
    nest.block "B" (%v : spatial = %l to 4, %w : spatial = %l + 2 to 6) {
      %t = memref.load %T[%w] : memref<6xf32, "register">
      memref.store %t, %B[%v] : memref<4xf32>
    }
  }
}

// -----

// The workers of a parallel loop share it.
// CHECK-LABEL: llvm.func hidden @shared(
// CHECK: llvm.alloca %{{.*}} x !llvm.array<1 x f32>
nest.func @shared(%A: memref<8xf32>, %B: memref<8xf32>) {
  %T = nest.alloc : memref<1xf32, "register">
  nest.block "T" () {
    %c0 = arith.constant 0 : index
    %a = memref.load %A[%c0] : memref<8xf32>
    memref.store %a, %T[%c0] : memref<1xf32, "register">
  }
  nest.for %i = 0 to 8 parallel {
    nest.block "B" (%v : spatial = %i to 8) {
      %c0 = arith.constant 0 : index
      %t = memref.load %T[%c0] : memref<1xf32, "register">
      memref.store %t, %B[%v] : memref<8xf32>
    }
  }
}
