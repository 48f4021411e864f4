// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// A row of 64 elements takes 68 where its stride is to be 4 modulo 32.
// CHECK-LABEL: llvm.func hidden @fixed(
// CHECK: %[[T:.*]] = llvm.alloca %{{.*}} x !llvm.array<1088 x f32>
// CHECK: arith.constant 68 : index
nest.func @fixed(%A: memref<16x64xf32>) {
  %T = nest.alloc {align = array<i64: 0, 32, 4>} : memref<16x64xf32>
  nest.for %i = 0 to 16 {
    nest.for %j = 0 to 64 {
      nest.block "T" (%v : spatial = %i to 16, %w : spatial = %j to 64) {
        %a = memref.load %A[%v, %w] : memref<16x64xf32>
        memref.store %a, %T[%v, %w] : memref<16x64xf32>
      }
    }
  }
}

// -----

// So it is where the number of rows is known at run time only.
// CHECK-LABEL: llvm.func hidden @rows(
// CHECK: %[[N:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: %[[C:.*]] = arith.constant 68 : index
// CHECK: arith.muli %[[N]], %[[C]]
// CHECK: llvm.call
nest.func @rows(%A: memref<?x64xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0, 64)>]} {
  %T = nest.alloc [symbol(%n), 64] {align = array<i64: 0, 32, 4>} : memref<?x64xf32>
  nest.for %i = 0 to symbol(%n) {
    nest.for %j = 0 to 64 {
      nest.block "T" (%v : spatial = %i to symbol(%n), %w : spatial = %j to 64) {
        %a = memref.load %A[%v, %w] : memref<?x64xf32>
        memref.store %a, %T[%v, %w] : memref<?x64xf32>
      }
    }
  }
}
