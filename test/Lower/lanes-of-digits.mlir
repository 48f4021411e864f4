// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// Digits of a vectorized index stay vectors: one digit where the lanes stay
// within one multiple of the divisor, parts of a sum that puts them together
// again, or a gather.

// Eight lanes of a loop of 16, packed by columns of 8.
// CHECK-LABEL: llvm.func hidden @aligned(
// CHECK: scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step
// CHECK: %[[V:.*]] = llvm.load {{.*}} -> vector<8xf32>
// CHECK-NOT: scatter
// CHECK: llvm.store %[[V]], %{{.*}} : vector<8xf32>
nest.func @aligned(%A: memref<4x16xf32>, %B: memref<2x4x8xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %jo = 0 to 2 {
      nest.for %ji = 0 to 8 vectorize {
        nest.block "B" (%vi : spatial = %i to 4, %vj : spatial = %jo * 8 + %ji to 16,
                        %q : spatial = (%jo * 8 + %ji) floordiv 8 to 2,
                        %r : spatial = (%jo * 8 + %ji) mod 8 to 8) {
          %a = memref.load %A[%vi, %vj] : memref<4x16xf32>
          memref.store %a, %B[%q, %vi, %r] : memref<2x4x8xf32>
        }
      }
    }
  }
}

// -----

// Digits of digits: lanes stay within one of the 16s that all the rest counts.
// CHECK-LABEL: llvm.func hidden @patches(
// CHECK-NOT: gather
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-NOT: scatter
// CHECK: llvm.store %{{.*}}, %{{.*}} : vector<16xf32>
nest.func @patches(%A: memref<3x3x64xf32>, %B: memref<576xf32>) {
  nest.for %o = 0 to 36 {
    nest.for %l = 0 to 16 vectorize {
      nest.block "B" (%v : spatial = %o * 16 + %l to 576) {
        %c192 = arith.constant 192 : index
        %c64 = arith.constant 64 : index
        %r = arith.divui %v, %c192 : index
        %sc = arith.remui %v, %c192 : index
        %s = arith.divui %sc, %c64 : index
        %c = arith.remui %v, %c64 : index
        %a = memref.load %A[%r, %s, %c] : memref<3x3x64xf32>
        memref.store %a, %B[%v] : memref<576xf32>
      }
    }
  }
}

// -----

// The same by index arithmetic in the body, as transform_layout writes it.
// CHECK-LABEL: llvm.func hidden @body(
// CHECK-NOT: gather
// CHECK-NOT: scatter
// CHECK: llvm.store %{{.*}}, %{{.*}} : vector<8xf32>
nest.func @body(%A: memref<16xf32>, %B: memref<2x8xf32>) {
  nest.for %jo = 0 to 2 {
    nest.for %ji = 0 to 8 vectorize {
      nest.block "B" (%vj : spatial = %jo * 8 + %ji to 16) {
        %c8 = arith.constant 8 : index
        %q = arith.divui %vj, %c8 : index
        %r = arith.remui %vj, %c8 : index
        %a = memref.load %A[%vj] : memref<16xf32>
        memref.store %a, %B[%q, %r] : memref<2x8xf32>
      }
    }
  }
}

// -----

// Two loops fused, 6 rows of 3: whatever row a lane is in, neighbours in B are
// neighbours in memory.
// CHECK-LABEL: llvm.func hidden @fused(
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK-NOT: gather
// CHECK-NOT: scatter
// CHECK: llvm.store %{{.*}}, %{{.*}} : vector<8xf32>
nest.func @fused(%A: memref<6x3xf32>, %B: memref<6x3xf32>) {
  nest.for %fo = 0 to 2 {
    nest.for %fi = 0 to 8 vectorize {
      nest.block "B" (%vi : spatial = (%fo * 8 + %fi) floordiv 3 to 6,
                      %vj : spatial = (%fo * 8 + %fi) mod 3 to 3) {
        %a = memref.load %A[%vi, %vj] : memref<6x3xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %B[%vi, %vj] : memref<6x3xf32>
      }
    }
  }
}

// -----

// A transposition: lanes are rows and columns, so B is scattered.
// CHECK-LABEL: llvm.func hidden @transposed(
// CHECK: %[[A:.*]] = llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.intr.masked.scatter %[[A]]
nest.func @transposed(%A: memref<4x4xf32>, %B: memref<4x4xf32>) {
  nest.for %fo = 0 to 2 {
    nest.for %fi = 0 to 8 vectorize {
      nest.block "B" (%vi : spatial = (%fo * 8 + %fi) floordiv 4 to 4,
                      %vj : spatial = (%fo * 8 + %fi) mod 4 to 4) {
        %a = memref.load %A[%vi, %vj] : memref<4x4xf32>
        memref.store %a, %B[%vj, %vi] : memref<4x4xf32>
      }
    }
  }
}

// -----

// A predicate over digits is a mask.
// CHECK-LABEL: llvm.func hidden @masked(
// CHECK: arith.shrsi %{{.*}} : vector<8xindex>
// CHECK: %[[MASK:.*]] = arith.cmpi sge, %{{.*}} : vector<8xindex>
// CHECK: llvm.intr.masked.store %{{.*}}, %{{.*}}, %[[MASK]]
nest.func @masked(%A: memref<16xf32>) {
  nest.for %fo = 0 to 2 {
    nest.for %fi = 0 to 8 vectorize {
      nest.block "A" (%v : spatial = %fo * 8 + %fi to 16) where (-((%fo * 8 + %fi) mod 4) + 2 >= 0) {
        %o = arith.constant 1.0 : f32
        memref.store %o, %A[%v] : memref<16xf32>
      }
    }
  }
}

// -----

// Sums over a divided iterator stay serial: lanes would meet in one element.
// CHECK-LABEL: llvm.func hidden @sums(
// CHECK: scf.for
// CHECK-NOT: vector<
nest.func @sums(%A: memref<4x4xf32>, %S: memref<4xf32>) {
  nest.for %f = 0 to 16 vectorize {
    nest.block "S" (%v : spatial = %f floordiv 4 to 4, %k : reduce = %f mod 4 to 4) init {
      %z = arith.constant 0.0 : f32
      memref.store %z, %S[%v] : memref<4xf32>
    } {
      %a = memref.load %A[%v, %k] : memref<4x4xf32>
      %s = memref.load %S[%v] : memref<4xf32>
      %r = arith.addf %s, %a : f32
      memref.store %r, %S[%v] : memref<4xf32>
    }
  }
}

// -----

// So do updates by an iterator whose digits are not all there.
// CHECK-LABEL: llvm.func hidden @updates(
// CHECK: scf.for
// CHECK-NOT: vector<
nest.func @updates(%S: memref<4xf32>) {
  nest.for %f = 0 to 16 vectorize {
    nest.block "S" (%v : spatial = %f floordiv 4 to 4) {
      %s = memref.load %S[%v] : memref<4xf32>
      %r = arith.addf %s, %s : f32
      memref.store %r, %S[%v] : memref<4xf32>
    }
  }
}
