// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A matrix of 4 MB times a vector: there is little to compute, but its bytes come
// from the last level, which is worth a second thread. One of 64 KB is not.
//
// CHECK-LABEL: nest.func @large
// CHECK: nest.for %{{.*}} = 0 to {{.*}} parallel annotate {grain = {{[0-9]+}} : i64} {
// CHECK-LABEL: nest.func @small
// CHECK-NOT: parallel
nest.func @large(%A: memref<1024x1024xf32>, %x: memref<1024xf32>, %y: memref<1024xf32>) {
  nest.for %i = 0 to 1024 {
    nest.for %k = 0 to 1024 {
      nest.block "y" (%vi : spatial = %i to 1024, %vk : reduce = %k to 1024) init {
        %zero = arith.constant 0.0 : f32
        memref.store %zero, %y[%vi] : memref<1024xf32>
      } {
        %a = memref.load %A[%vi, %vk] : memref<1024x1024xf32>
        %b = memref.load %x[%vk] : memref<1024xf32>
        %c = memref.load %y[%vi] : memref<1024xf32>
        %p = arith.mulf %a, %b : f32
        %s = arith.addf %c, %p : f32
        memref.store %s, %y[%vi] : memref<1024xf32>
      }
    }
  }
}
nest.func @small(%A: memref<128x128xf32>, %x: memref<128xf32>, %y: memref<128xf32>) {
  nest.for %i = 0 to 128 {
    nest.for %k = 0 to 128 {
      nest.block "y" (%vi : spatial = %i to 128, %vk : reduce = %k to 128) init {
        %zero = arith.constant 0.0 : f32
        memref.store %zero, %y[%vi] : memref<128xf32>
      } {
        %a = memref.load %A[%vi, %vk] : memref<128x128xf32>
        %b = memref.load %x[%vk] : memref<128xf32>
        %c = memref.load %y[%vi] : memref<128xf32>
        %p = arith.mulf %a, %b : f32
        %s = arith.addf %c, %p : f32
        memref.store %s, %y[%vi] : memref<128xf32>
      }
    }
  }
}
