// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// A tile of registers that reaches beyond the end keeps to values. Where lanes
// end is a number: the first vector needs no mask, the second a constant one,
// and what all lanes share is loaded without a test.
//
// CHECK-LABEL: llvm.func hidden @known_par0(
// CHECK-NOT: llvm.alloca %{{.*}} x !llvm.array<16 x f32>
// CHECK: %[[MASK:.*]] = arith.constant dense<[true, true, true, true, false, false, false, false]>
// CHECK: scf.for {{.*}} iter_args(
// CHECK-NOT: scf.if
// CHECK: llvm.load {{.*}} -> f32
// CHECK: llvm.load {{.*}} -> vector<8xf32>
// CHECK: llvm.intr.masked.load
// CHECK: arith.select
// CHECK: scf.yield
nest.func @known(%A: memref<64xf32>, %B: memref<64x16xf32>, %C: memref<3x12xf32>) {
  nest.for %q = 0 to 3 parallel { nest.for %o = 0 to 1 parallel {
    %T = nest.alloc : memref<16xf32, "register">
    nest.for %n = 0 to 2 unroll {
      nest.for %l = 0 to 8 vectorize {
        nest.block "zero" (%v : spatial = %o * 16 + %n * 8 + %l to 12, %f : spatial = %o * 16 to 1) where (11 - %o * 16 - %n * 8 - %l >= 0) {
          %z = arith.constant 0.0 : f32
          %at = arith.subi %v, %f : index
          memref.store %z, %T[%at] : memref<16xf32, "register">
        }
      }
    }
    nest.for %k = 0 to 64 {
      nest.for %n = 0 to 2 unroll {
        nest.for %l = 0 to 8 vectorize {
          nest.block "sum" (%v : spatial = %o * 16 + %n * 8 + %l to 12, %vk : reduce = %k to 64, %f : spatial = %o * 16 to 1) where (11 - %o * 16 - %n * 8 - %l >= 0) {
            %at = arith.subi %v, %f : index
            %a = memref.load %A[%vk] : memref<64xf32>
            %b = memref.load %B[%vk, %v] : memref<64x16xf32>
            %t = memref.load %T[%at] : memref<16xf32, "register">
            %p = arith.mulf %a, %b : f32
            %s = arith.addf %t, %p : f32
            memref.store %s, %T[%at] : memref<16xf32, "register">
          }
        }
      }
    }
    nest.for %n = 0 to 2 unroll {
      nest.for %l = 0 to 8 vectorize {
        nest.block "write" (%w : spatial = %q to 3, %v : spatial = %n * 8 + %l to 12, %f : spatial = %o * 16 to 1) where (11 - %n * 8 - %l >= 0) {
          %at = arith.subi %v, %f : index
          %t = memref.load %T[%at] : memref<16xf32, "register">
          memref.store %t, %C[%w, %v] : memref<3x12xf32>
        }
      }
    }
  } }
}

// -----

// Where it shows at run time, a load for all lanes reads something else when
// none of them may read: no branch stands in the loop.
//
// CHECK-LABEL: llvm.func hidden @shown(
// CHECK-SAME: %[[CALL:.*]]: !llvm.ptr, %[[A:.*]]: !llvm.ptr
// CHECK: scf.for {{.*}} iter_args(
// CHECK-NOT: scf.if
// CHECK: %[[ANY:.*]] = vector.reduction <or>
// CHECK: %[[FROM:.*]] = arith.select %[[ANY]], %{{.*}}, %[[CALL]] : !llvm.ptr
// CHECK: llvm.load %[[FROM]] {{.*}} -> f32
// CHECK: scf.yield
nest.func @shown(%A: memref<64xf32>, %B: memref<64x8xf32>, %C: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (64)>, affine_map<()[s0] -> (64, 8)>, affine_map<()[s0] -> (s0)>]} {
  %T = nest.alloc : memref<8xf32, "register">
  nest.for %l = 0 to 8 vectorize {
    nest.block "zero" (%v : spatial = %l to 8) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %T[%v] : memref<8xf32, "register">
    }
  }
  nest.for %k = 0 to 64 {
    nest.for %l = 0 to 8 vectorize {
      nest.block "sum" (%v : spatial = %l to 8, %vk : reduce = %k to 64) where (symbol(%n) - %l - 1 >= 0) {
        %a = memref.load %A[%vk] : memref<64xf32>
        %b = memref.load %B[%vk, %v] : memref<64x8xf32>
        %t = memref.load %T[%v] : memref<8xf32, "register">
        %p = arith.mulf %a, %b : f32
        %s = arith.addf %t, %p : f32
        memref.store %s, %T[%v] : memref<8xf32, "register">
      }
    }
  }
  nest.for %l = 0 to 8 vectorize {
    nest.block "write" (%v : spatial = %l to symbol(%n)) where (symbol(%n) - %l - 1 >= 0) {
      %t = memref.load %T[%v] : memref<8xf32, "register">
      memref.store %t, %C[%v] : memref<?xf32>
    }
  }
}
