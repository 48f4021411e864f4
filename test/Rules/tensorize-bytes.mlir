// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: nestor-opt --schedule-default=target=x86-64-v4+avx512vnni %s | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: nestor-opt --schedule-default=target=x86-64-v4+avx512vnni+amx-int8 %s | FileCheck %s --check-prefixes=CHECK,AMX
// No step is refused.
// RUN: nestor-opt "--schedule-default=target=x86-64-v4+avx512vnni refusals" --verify-diagnostics %s -o /dev/null

// A product of bytes runs on what the target has for it: the weights packed in
// groups of 4 along the reduction, a tile of sums in registers (or tiles), the
// requantisation of a tile while it is there.
//
// CHECK: nest.func @matmul(
// AVX2-SAME: memref<{{[0-9]+}}x48x{{([0-9]x)?}}8x4xi8> {nest.constant}
// VNNI-SAME: memref<{{[0-9]+}}x48x{{([0-9]x)?}}16x4xi8> {nest.constant}
// AMX-SAME: memref<{{[0-9]+}}x3x{{([0-9]x)?}}16x16x4xi8> {nest.constant}
// AVX2: nest.alloc : memref<{{.*}}xi32, "register">
// VNNI: nest.alloc : memref<{{.*}}xi32, "register">
// AMX: nest.alloc : memref<{{.*}}xi32, "tile">
// CHECK: nest.block "C_init"
// AVX2: annotate {intrinsic = "x86.vpmaddwd_u8s8.256"}
// VNNI: annotate {intrinsic = "x86.vpdpbusd.512"}
// AMX: annotate {intrinsic = "x86.amx.tdpbusd"}
// CHECK: nest.block "Q"
nest.func @matmul(%A: memref<96x192xi8>, %B: memref<192x160xi8> {nest.constant}, %S: memref<160xf32>, %D: memref<96x160xi8>) {
  %C = nest.alloc : memref<96x160xi32>
  nest.for %i = 0 to 96 {
    nest.for %j = 0 to 160 {
      nest.for %k = 0 to 192 {
        nest.block "C" (%vi : spatial = %i to 96, %vj : spatial = %j to 160, %vk : reduce = %k to 192) init {
          %z = arith.constant 0 : i32
          memref.store %z, %C[%vi, %vj] : memref<96x160xi32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<96x192xi8>
          %b = memref.load %B[%vk, %vj] : memref<192x160xi8>
          %c = memref.load %C[%vi, %vj] : memref<96x160xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vi, %vj] : memref<96x160xi32>
        }
      }
    }
  }
  nest.for %i = 0 to 96 {
    nest.for %j = 0 to 160 {
      nest.block "Q" (%vi : spatial = %i to 96, %vj : spatial = %j to 160) {
        %c = memref.load %C[%vi, %vj] : memref<96x160xi32>
        %s = memref.load %S[%vj] : memref<160xf32>
        %f = arith.sitofp %c : i32 to f32
        %m = arith.mulf %f, %s : f32
        %r = math.roundeven %m : f32
        %lo = arith.constant 0.0 : f32
        %hi = arith.constant 255.0 : f32
        %r1 = arith.maximumf %r, %lo : f32
        %r2 = arith.minimumf %r1, %hi : f32
        %q = arith.fptoui %r2 : f32 to i8
        memref.store %q, %D[%vi, %vj] : memref<96x160xi8>
      }
    }
  }
}
