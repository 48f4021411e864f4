// The default schedule of a product, compiled for each target, holds the
// instruction that the target has for it.
// RUN: nestor-opt %s --schedule-default=target=x86-64-v3 --lower-to-loops --lower-to-llvm=target=x86-64-v3 \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=x86_64-linux-gnu -mattr=+avx2,+fma | FileCheck %s --check-prefix=AVX2
// RUN: nestor-opt %s --schedule-default=target=x86-64-v3+avxvnni --lower-to-loops --lower-to-llvm=target=x86-64-v3+avxvnni \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=x86_64-linux-gnu -mattr=+avx2,+fma,+avxvnni | FileCheck %s --check-prefix=AVXVNNI
// RUN: nestor-opt %s --schedule-default=target=x86-64-v4+avx512vnni --lower-to-loops --lower-to-llvm=target=x86-64-v4+avx512vnni \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=x86_64-linux-gnu -mattr=+avx512bw,+avx512vl,+avx512dq,+avx512vnni,+fast-dpwssd | FileCheck %s --check-prefix=VNNI
// RUN: nestor-opt %s --schedule-default=target=x86-64-v4+avx512bf16 --lower-to-loops --lower-to-llvm=target=x86-64-v4+avx512bf16 \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=x86_64-linux-gnu -mattr=+avx512bw,+avx512vl,+avx512dq,+avx512bf16 | FileCheck %s --check-prefix=BF16
// RUN: nestor-opt %s --schedule-default=target=x86-64-v4+amx-int8+amx-bf16 --lower-to-loops --lower-to-llvm=target=x86-64-v4+amx-int8+amx-bf16 \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=x86_64-linux-gnu -mattr=+avx512bw,+avx512vl,+avx512dq,+amx-int8,+amx-bf16 | FileCheck %s --check-prefix=AMX
// RUN: nestor-opt %s --schedule-default=target=armv8.2-a --lower-to-loops --lower-to-llvm=target=armv8.2-a \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=aarch64-linux-gnu -mattr=+dotprod | FileCheck %s --check-prefix=DOT
// RUN: nestor-opt %s --schedule-default=target=armv8.6-a --lower-to-loops --lower-to-llvm=target=armv8.6-a \
// RUN:   | mlir-translate --mlir-to-llvmir | llc -O1 -mtriple=aarch64-linux-gnu -mattr=+dotprod,+i8mm,+bf16 | FileCheck %s --check-prefix=I8MM

// AVX2-LABEL: u8s8:
// AVX2: vpmaddwd
// AVXVNNI-LABEL: u8s8:
// AVXVNNI: {vex}{{.*}}vpdpbusd
// VNNI-LABEL: u8s8:
// VNNI: vpdpbusd
// AMX-LABEL: u8s8:
// AMX: tdpbusd
// I8MM-LABEL: u8s8:
// I8MM: usmmla
nest.func @u8s8(%A: memref<64x128xi8>, %B: memref<128x96xi8> {nest.constant}, %C: memref<64x96xi32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.for %k = 0 to 128 {
        nest.block "C" (%vi : spatial = %i to 64, %vj : spatial = %j to 96, %vk : reduce = %k to 128) init {
          %z = arith.constant 0 : i32
          memref.store %z, %C[%vi, %vj] : memref<64x96xi32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<64x128xi8>
          %b = memref.load %B[%vk, %vj] : memref<128x96xi8>
          %c = memref.load %C[%vi, %vj] : memref<64x96xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vi, %vj] : memref<64x96xi32>
        }
      }
    }
  }
}

// AVX2-LABEL: s8s8:
// AVX2: vpmaddwd
// AVXVNNI-LABEL: s8s8:
// AVXVNNI: vpdpwssd
// VNNI-LABEL: s8s8:
// VNNI: vpdpwssd
// AMX-LABEL: s8s8:
// AMX: tdpbssd
// DOT-LABEL: s8s8:
// DOT: sdot
// I8MM-LABEL: s8s8:
// I8MM: smmla
nest.func @s8s8(%A: memref<64x128xi8>, %B: memref<128x96xi8> {nest.constant}, %C: memref<64x96xi32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.for %k = 0 to 128 {
        nest.block "C" (%vi : spatial = %i to 64, %vj : spatial = %j to 96, %vk : reduce = %k to 128) init {
          %z = arith.constant 0 : i32
          memref.store %z, %C[%vi, %vj] : memref<64x96xi32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<64x128xi8>
          %b = memref.load %B[%vk, %vj] : memref<128x96xi8>
          %c = memref.load %C[%vi, %vj] : memref<64x96xi32>
          %x = arith.extsi %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vi, %vj] : memref<64x96xi32>
        }
      }
    }
  }
}

// AVX2-LABEL: u8u8:
// AVX2: vpmaddwd
// VNNI-LABEL: u8u8:
// VNNI: vpdpwssd
// AMX-LABEL: u8u8:
// AMX: tdpbuud
// DOT-LABEL: u8u8:
// DOT: udot
// I8MM-LABEL: u8u8:
// I8MM: ummla
nest.func @u8u8(%A: memref<64x128xi8>, %B: memref<128x96xi8> {nest.constant}, %C: memref<64x96xi32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.for %k = 0 to 128 {
        nest.block "C" (%vi : spatial = %i to 64, %vj : spatial = %j to 96, %vk : reduce = %k to 128) init {
          %z = arith.constant 0 : i32
          memref.store %z, %C[%vi, %vj] : memref<64x96xi32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<64x128xi8>
          %b = memref.load %B[%vk, %vj] : memref<128x96xi8>
          %c = memref.load %C[%vi, %vj] : memref<64x96xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extui %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vi, %vj] : memref<64x96xi32>
        }
      }
    }
  }
}

// AMX-LABEL: s8u8:
// AMX: tdpbsud
nest.func @s8u8(%A: memref<64x128xi8>, %B: memref<128x96xi8> {nest.constant}, %C: memref<64x96xi32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.for %k = 0 to 128 {
        nest.block "C" (%vi : spatial = %i to 64, %vj : spatial = %j to 96, %vk : reduce = %k to 128) init {
          %z = arith.constant 0 : i32
          memref.store %z, %C[%vi, %vj] : memref<64x96xi32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<64x128xi8>
          %b = memref.load %B[%vk, %vj] : memref<128x96xi8>
          %c = memref.load %C[%vi, %vj] : memref<64x96xi32>
          %x = arith.extsi %a : i8 to i32
          %y = arith.extui %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vi, %vj] : memref<64x96xi32>
        }
      }
    }
  }
}

// AVX2-LABEL: bf16:
// AVX2: vfmadd
// BF16-LABEL: bf16:
// BF16: vdpbf16ps
// AMX-LABEL: bf16:
// AMX: tdpbf16ps
// I8MM-LABEL: bf16:
// I8MM: bfmmla
nest.func @bf16(%A: memref<64x128xbf16>, %B: memref<128x96xbf16> {nest.constant}, %C: memref<64x96xf32>) {
  nest.for %i = 0 to 64 {
    nest.for %j = 0 to 96 {
      nest.for %k = 0 to 128 {
        nest.block "C" (%vi : spatial = %i to 64, %vj : spatial = %j to 96, %vk : reduce = %k to 128) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<64x96xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<64x128xbf16>
          %b = memref.load %B[%vk, %vj] : memref<128x96xbf16>
          %c = memref.load %C[%vi, %vj] : memref<64x96xf32>
          %x = arith.extf %a : bf16 to f32
          %y = arith.extf %b : bf16 to f32
          %p = arith.mulf %x, %y : f32
          %s = arith.addf %c, %p : f32
          memref.store %s, %C[%vi, %vj] : memref<64x96xf32>
        }
      }
    }
  }
}
