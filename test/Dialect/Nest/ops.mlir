// RUN: nestor-opt %s | nestor-opt | FileCheck %s

// Everything the dialect can say, printed and read back.

// CHECK-LABEL: nest.func @matmul
nest.func @matmul(%A: memref<?x64xf32>, %B: memref<64x32xf32>, %C: memref<?x32xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0, 64)>, affine_map<()[s0] -> (64, 32)>, affine_map<()[s0] -> (s0, 32)>]} {
  // CHECK: nest.alloc [symbol(%{{.*}}), 16] : memref<?x16xf32>
  %T = nest.alloc [symbol(%n), 16] : memref<?x16xf32>
  // CHECK: nest.alloc : memref<4x16xf32, "register">
  %R = nest.alloc : memref<4x16xf32, "register">
  // CHECK: nest.for %[[I:.*]] = 0 to symbol(%{{.*}}) ceildiv 4 parallel annotate {grain = 4 : i64} {
  nest.for %i = 0 to symbol(%n) ceildiv 4 parallel annotate {grain = 4 : i64} {
    // CHECK: nest.for %[[II:.*]] = 0 to min(4, %[[I]] * -4 + symbol(%{{.*}})) {
    nest.for %ii = 0 to min(4, symbol(%n) - %i * 4) {
      // CHECK: nest.for %[[J:.*]] = 0 to 32 vectorize {
      nest.for %j = 0 to 32 vectorize {
        nest.for %k = 0 to 64 {
          // CHECK: nest.block "C" (%[[VI:.*]] : spatial = %[[I]] * 4 + %[[II]] to symbol(%{{.*}}), %[[VJ:.*]] : spatial = %[[J]] to 32, %[[VK:.*]] : reduce = %{{.*}} to 64)
          // CHECK-SAME: where (%[[I]] * -4 + symbol(%{{.*}}) - %[[II]] - 1 >= 0) init {
          nest.block "C" (%vi : spatial = %i * 4 + %ii to symbol(%n), %vj : spatial = %j to 32, %vk : reduce = %k to 64)
              where (symbol(%n) - 1 - %i * 4 - %ii >= 0) init {
            %z = arith.constant 0.0 : f32
            // CHECK: memref.store %{{.*}}, %{{.*}}[%[[VI]], %[[VJ]]]
            memref.store %z, %C[%vi, %vj] : memref<?x32xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<?x64xf32>
            %b = memref.load %B[%vk, %vj] : memref<64x32xf32>
            %c = memref.load %C[%vi, %vj] : memref<?x32xf32>
            %m = arith.mulf %a, %b : f32
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vi, %vj] : memref<?x32xf32>
          }
        }
      }
    }
  }
}

// A block around a nest: its iterators are what loops and blocks inside see.
// CHECK-LABEL: nest.func @nested
// CHECK: nest.block "C_o" (%[[V:.*]] : spatial = %{{.*}} to 4, %[[W:.*]] : reduce = %{{.*}} to 3) init {
// CHECK-NEXT: nest.for %[[I:.*]] = 0 to %[[V]] + 1 {
// CHECK-NEXT: nest.block "Z" (%{{.*}} : spatial = %[[I]] + %[[V]] * 4 to 16) {
// CHECK: } {
// CHECK-NEXT: %{{.*}} = nest.alloc : memref<2xf32>
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 2 {
// CHECK-NEXT: nest.block "C" (%{{.*}} : spatial = %[[V]] to 16, %{{.*}} : reduce = %[[K]] + %[[W]] * 2 to 6) where (%[[V]] - %[[K]] >= 0) {
nest.func @nested(%C: memref<16xf32>) {
  nest.for %io = 0 to 4 {
    nest.for %ko = 0 to 3 {
      nest.block "C_o" (%v : spatial = %io to 4, %w : reduce = %ko to 3) init {
        nest.for %i = 0 to %v + 1 {
          nest.block "Z" (%vi : spatial = %i + %v * 4 to 16) {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi] : memref<16xf32>
          }
        }
      } {
        %T = nest.alloc : memref<2xf32>
        nest.for %k = 0 to 2 {
          nest.block "C" (%vi : spatial = %v to 16, %vk : reduce = %k + %w * 2 to 6) where (%v - %k >= 0) {
          }
        }
      }
    }
  }
}
