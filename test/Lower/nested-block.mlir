// RUN: nestor-opt --lower-to-loops %s | FileCheck %s

// A block that holds a nest is the code of the nest: no call, no copy. Its init
// runs as a whole at the first step, and a register tile that lives outside is
// carried through the loops of both.
// CHECK-LABEL: llvm.func hidden @sum
// CHECK: scf.for
// CHECK-NOT: llvm.alloca
// CHECK: scf.for %[[KO:.*]] = {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (vector<16xf32>) {
// CHECK: arith.cmpi eq, %[[KO]]
// CHECK: scf.if
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (vector<16xf32>) {
// CHECK-NOT: llvm.call
// CHECK: llvm.store %{{.*}} : vector<16xf32>, !llvm.ptr
nest.func @sum(%A: memref<32x64xf32>, %B: memref<64xf32>) {
  nest.for %io = 0 to 4 {
    %T = nest.alloc : memref<16xf32, "register">
    nest.for %ko = 0 to 4 {
      nest.block "C_o" (%v : spatial = %io to 4, %w : reduce = %ko to 4) init {
        nest.for %i = 0 to 16 vectorize {
          nest.block "C_init" (%vi : spatial = %i to 16) {
            %z = arith.constant 0.0 : f32
            memref.store %z, %T[%vi] : memref<16xf32, "register">
          }
        }
      } {
        nest.for %k = 0 to 8 {
          nest.for %i = 0 to 16 vectorize {
            nest.block "C" (%vi : spatial = %i to 16, %vj : spatial = %v * 16 + %i to 64, %vk : reduce = %w * 8 + %k to 32) {
              %a = memref.load %A[%vk, %vj] : memref<32x64xf32>
              %t = memref.load %T[%vi] : memref<16xf32, "register">
              %s = arith.addf %t, %a : f32
              memref.store %s, %T[%vi] : memref<16xf32, "register">
            }
          }
        }
      }
    }
    nest.for %i = 0 to 16 vectorize {
      nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %io * 16 + %i to 64) {
        %t = memref.load %T[%vi] : memref<16xf32, "register">
        memref.store %t, %B[%vj] : memref<64xf32>
      }
    }
  }
}
