// RUN: nestor-opt "--schedule-default=target=x86-64-v4+avx512vnni+avx512bf16 refusals" --verify-diagnostics %s | FileCheck %s

// A convolution of bytes reads its input where it lies: the channels are the
// instruction's reduction, positions of the filter stay loops, pixels are rows.
// What of the channels does not fill an instance is padded with the weights.
//
// CHECK: nest.func @conv(%{{.*}}: memref<1x16x16x32xi8>, %{{.*}}: memref<{{.*}}16x4xi8> {nest.constant}
// CHECK: nest.alloc : memref<{{.*}}xi32, "register">
// CHECK: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 3 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 8 {
// CHECK: annotate {intrinsic = "x86.vpdpbusd.512"}
// CHECK: nest.func @pack_conv_1
nest.func @conv(%A: memref<1x16x16x32xi8>, %W: memref<3x3x32x40xi8> {nest.constant}, %C: memref<1x14x14x40xi32>) {
  nest.for %n = 0 to 1 { nest.for %h = 0 to 14 { nest.for %w = 0 to 14 { nest.for %o = 0 to 40 {
  nest.for %r = 0 to 3 { nest.for %t = 0 to 3 { nest.for %i = 0 to 32 {
    nest.block "C" (%vn : spatial = %n to 1, %vh : spatial = %h to 14, %vw : spatial = %w to 14, %vo : spatial = %o to 40,
                    %vr : reduce = %r to 3, %vt : reduce = %t to 3, %vi : reduce = %i to 32) init {
      %z = arith.constant 0 : i32
      memref.store %z, %C[%vn, %vh, %vw, %vo] : memref<1x14x14x40xi32>
    } {
      %y = arith.addi %vh, %vr : index
      %x = arith.addi %vw, %vt : index
      %a = memref.load %A[%vn, %y, %x, %vi] : memref<1x16x16x32xi8>
      %b = memref.load %W[%vr, %vt, %vi, %vo] : memref<3x3x32x40xi8>
      %c = memref.load %C[%vn, %vh, %vw, %vo] : memref<1x14x14x40xi32>
      %l = arith.extui %a : i8 to i32
      %q = arith.extsi %b : i8 to i32
      %p = arith.muli %l, %q : i32
      %s = arith.addi %c, %p : i32
      memref.store %s, %C[%vn, %vh, %vw, %vo] : memref<1x14x14x40xi32>
    }
  } } } } } } }
}
