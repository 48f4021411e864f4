// RUN: nestor-opt "--schedule-default=target=x86-64-v3 print=sequence" %s | FileCheck %s
// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s -o %t.nest
// RUN: nestor-opt "--schedule-default=target=x86-64-v3 print=sequence" %s | nestor-opt --transform-interpreter -o %t.replayed
// RUN: FileCheck %s --check-prefix=NEST --input-file=%t.nest
// RUN: FileCheck %s --check-prefix=NEST --input-file=%t.replayed
// RUN: not nestor-opt --schedule-default=target=z80 %s 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not nestor-opt --schedule-default=print=loops %s 2>&1 | FileCheck %s --check-prefix=PRINT

// A schedule is a sequence beside the kernel as it was; each number is a knob.
// Replayed, it gives the nest that the rules made: here a matmul whose relu is
// finished in the tile.
//
// CHECK: nest.func @dense(
// CHECK-NOT: pack_
// CHECK: transform.named_sequence @__transform_main
// CHECK: transform.tune.knob<"rows"> = 4 : i64
// CHECK: transform.nest.reverse_compute_at
//
// NEST: nest.func @dense({{.*}} memref<3x64x24xf32> {nest.constant}
// NEST: nest.alloc : memref<4x24xf32, "register">
// NEST: nest.block "C" (
// NEST: nest.block "relu" (
// NEST: nest.block "relu_tail" {{.*}} where (
//
// TARGET: error: {{.*}}z80
// PRINT: error: print= is 'nest' or 'sequence', not 'loops'
nest.func @dense(%A: memref<31x64xf32>, %B: memref<64x60xf32> {nest.constant}, %Y: memref<31x60xf32>) {
  %C = nest.alloc : memref<31x60xf32>
  nest.for %i = 0 to 31 {
    nest.for %j = 0 to 60 {
      nest.for %k = 0 to 64 {
        nest.block "C" (%vi : spatial = %i to 31, %vj : spatial = %j to 60, %vk : reduce = %k to 64) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<31x60xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<31x64xf32>
          %b = memref.load %B[%vk, %vj] : memref<64x60xf32>
          %c = memref.load %C[%vi, %vj] : memref<31x60xf32>
          %m = arith.mulf %a, %b : f32
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vi, %vj] : memref<31x60xf32>
        }
      }
    }
  }
  nest.for %i = 0 to 31 {
    nest.for %j = 0 to 60 {
      nest.block "relu" (%vi : spatial = %i to 31, %vj : spatial = %j to 60) {
        %z = arith.constant 0.0 : f32
        %c = memref.load %C[%vi, %vj] : memref<31x60xf32>
        %r = arith.maximumf %c, %z : f32
        memref.store %r, %Y[%vi, %vj] : memref<31x60xf32>
      }
    }
  }
}
