// RUN: nestor-opt %s --transform-interpreter | FileCheck %s
// RUN: nestor-opt %s --transform-interpreter --lower-to-loops | FileCheck %s --check-prefix=LOOPS
// RUN: nestor-opt %s --transform-interpreter=entry-point=avx2 --lower-to-loops | FileCheck %s --check-prefix=AVX2
// RUN: nestor-opt %s --transform-interpreter=entry-point=amx --lower-to-loops | FileCheck %s --check-prefix=AMX
// RUN: nestor-opt %s --transform-interpreter --lower-to-loops --lower-to-llvm=target=x86-64-v4+avx512vnni \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O3 -mcpu=x86-64-v4 -mattr=+avx512vnni | FileCheck %s --check-prefix=VNNI-ASM
// RUN: nestor-opt %s --transform-interpreter=entry-point=avx2 --lower-to-loops --lower-to-llvm=target=x86-64-v3 \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O3 -mcpu=x86-64-v3 | FileCheck %s --check-prefix=AVX2-ASM
// RUN: nestor-opt %s --transform-interpreter=entry-point=amx --lower-to-loops --lower-to-llvm=target=x86-64-v4+amx-int8 \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O3 -mcpu=x86-64-v4 -mattr=+amx-int8,+amx-tile | FileCheck %s --check-prefix=AMX-ASM

// u8 by s8 to s32 by tensor instructions. Four steps of the reduction are one
// instance: the weights lie [n / 64][k / 4][4][16][4], so that an instance reads
// 64 bytes of them, and a broadcast of 4 bytes of A serves a row.
//
//   for no: for mo:
//     T[6][64] = 0                          24 accumulators in registers
//     for ko: for r < 6: for c < 4: T[r][c] += instance
//     C = T
//
// With tiles it is 2 x 2 of 16 x 16 sums, 64 steps an instance; they stay in tile
// registers while ko runs and are in memory before and after.
// AS: 768=96 640=64 384=128

// CHECK-LABEL: nest.func @gemm
// CHECK: nest.alloc : memref<{{.*}}6x64xi32, "register">
// CHECK: nest.block "mm_init"
// CHECK: nest.for %{{.*}} = 0 to 96 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 6 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.block "mm_o" ({{.*}}) annotate {intrinsic = "x86.vpdpbusd.512"} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.block "mm"

// The sums go around the loop over ko as values.
// LOOPS: llvm.func hidden @gemm
// LOOPS: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xi32>, vector<16xi32>
// LOOPS-COUNT-24: device.dot vpdpbusd
// LOOPS-NOT: llvm.store
// LOOPS: scf.yield

// AVX2: scf.for {{.*}} iter_args({{.*}}) -> (vector<8xi32>, vector<8xi32>
// AVX2: device.dot vpmaddwd
// AVX2-NOT: llvm.store
// AVX2: scf.yield

// AMX: scf.for {{.*}} iter_args({{.*}}) -> (!device.tile<16x16xi32>, !device.tile<16x16xi32>, !device.tile<16x16xi32>, !device.tile<16x16xi32>) {
// AMX-COUNT-4: device.tile_dot tdpbusd
// AMX-NOT: device.tile_store
// AMX: scf.yield
// AMX: device.tile_store

// No spill in the loop.
// VNNI-ASM: gemm:
// VNNI-ASM: vpdpbusd
// VNNI-ASM-NOT: Spill
// VNNI-ASM-NOT: Reload
// VNNI-ASM-COUNT-23: vpdpbusd
// VNNI-ASM-NOT: Reload
// VNNI-ASM: j{{[a-z]+}}

// AVX2-ASM: gemm:
// AVX2-ASM: vpmaddwd

// AMX-ASM: gemm:
// AMX-ASM: ldtilecfg
// AMX-ASM: tdpbusd
// AMX-ASM-NOT: tilestored
// AMX-ASM-NOT: ldtilecfg
// AMX-ASM-COUNT-3: tdpbusd
// AMX-ASM: tilestored
module attributes {transform.with_named_sequence} {
  nest.func @gemm(%A: memref<768x384xi8>, %B: memref<384x640xi8>, %C: memref<768x640xi32>) {
    nest.for %i = 0 to 768 {
      nest.for %j = 0 to 640 {
        nest.for %k = 0 to 384 {
          nest.block "mm" (%vi : spatial = %i to 768, %vj : spatial = %j to 640, %vk : reduce = %k to 384) init {
            %z = arith.constant 0 : i32
            memref.store %z, %C[%vi, %vj] : memref<768x640xi32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<768x384xi8>
            %b = memref.load %B[%vk, %vj] : memref<384x640xi8>
            %c = memref.load %C[%vi, %vj] : memref<768x640xi32>
            %x = arith.extui %a : i8 to i32
            %y = arith.extsi %b : i8 to i32
            %m = arith.muli %x, %y : i32
            %s = arith.addi %c, %m : i32
            memref.store %s, %C[%vi, %vj] : memref<768x640xi32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    transform.nest.transform_layout %mm "read" 1 to affine_map<(k, n) -> (n floordiv 64, k floordiv 4, (n floordiv 16) mod 4, n mod 16, k mod 4)>
    %out = transform.nest.cache_write %mm write 0 in "register"
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %mo, %r = transform.nest.split %i by [-1, 6] : 2
    %no, %c, %n = transform.nest.split %j by [-1, 4, 16] : 3
    %ko, %ki = transform.nest.split %k by [-1, 4] : 2
    transform.nest.reorder %no, %mo, %ko, %r, %c, %n, %ki
    transform.nest.reverse_compute_at %out at %mo
    %zero = transform.nest.decompose_reduction %mm at %ko
    transform.nest.unroll %r
    transform.nest.unroll %c
    %z0, %z1, %zr, %zc, %zn = transform.nest.get_loops %zero : 5
    transform.nest.unroll %zr
    transform.nest.unroll %zc
    transform.nest.vectorize %zn
    %o0, %o1, %or, %oj = transform.nest.get_loops %out : 4
    transform.nest.unroll %or
    %oc, %on = transform.nest.split %oj by [-1, 16] : 2
    transform.nest.unroll %oc
    transform.nest.vectorize %on
    transform.nest.compact_buffers %root : !transform.any_op
    %instance = transform.nest.blockize %n
    transform.nest.tensorize %instance with "x86.vpdpbusd.512"
    transform.yield
  }

  transform.named_sequence @avx2(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    transform.nest.transform_layout %mm "read" 1 to affine_map<(k, n) -> (n floordiv 16, k floordiv 4, (n floordiv 8) mod 2, n mod 8, k mod 4)>
    %out = transform.nest.cache_write %mm write 0 in "register"
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %mo, %r = transform.nest.split %i by [-1, 3] : 2
    %no, %c, %n = transform.nest.split %j by [-1, 2, 8] : 3
    %ko, %ki = transform.nest.split %k by [-1, 4] : 2
    transform.nest.reorder %no, %mo, %ko, %r, %c, %n, %ki
    transform.nest.reverse_compute_at %out at %mo
    %zero = transform.nest.decompose_reduction %mm at %ko
    transform.nest.unroll %r
    transform.nest.unroll %c
    %z0, %z1, %zr, %zc, %zn = transform.nest.get_loops %zero : 5
    transform.nest.unroll %zr
    transform.nest.unroll %zc
    transform.nest.vectorize %zn
    %o0, %o1, %or, %oj = transform.nest.get_loops %out : 4
    transform.nest.unroll %or
    %oc, %on = transform.nest.split %oj by [-1, 8] : 2
    transform.nest.unroll %oc
    transform.nest.vectorize %on
    transform.nest.compact_buffers %root : !transform.any_op
    %instance = transform.nest.blockize %n
    transform.nest.tensorize %instance with "x86.vpmaddwd_u8s8.256"
    transform.yield
  }

  transform.named_sequence @amx(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    transform.nest.transform_layout %mm "read" 1 to affine_map<(k, n) -> (n floordiv 32, k floordiv 64, (n floordiv 16) mod 2, (k floordiv 4) mod 16, n mod 16, k mod 4)>
    %out = transform.nest.cache_write %mm write 0 in "tile"
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %mo, %r, %m = transform.nest.split %i by [-1, 2, 16] : 3
    %no, %c, %n = transform.nest.split %j by [-1, 2, 16] : 3
    %ko, %ki = transform.nest.split %k by [-1, 64] : 2
    transform.nest.reorder %no, %mo, %ko, %r, %c, %m, %n, %ki
    transform.nest.reverse_compute_at %out at %mo
    %zero = transform.nest.decompose_reduction %mm at %ko
    transform.nest.unroll %r
    transform.nest.unroll %c
    %z0, %z1, %zr, %zc, %zm, %zn = transform.nest.get_loops %zero : 6
    transform.nest.vectorize %zn
    %o0, %o1, %om, %oj = transform.nest.get_loops %out : 4
    %oc, %on = transform.nest.split %oj by [-1, 16] : 2
    transform.nest.vectorize %on
    transform.nest.compact_buffers %root : !transform.any_op
    %instance = transform.nest.blockize %m
    transform.nest.tensorize %instance with "x86.amx.tdpbusd"
    transform.yield
  }
}
