// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// The block keeps its nest and gets the name. The weights lie in groups of 4
// along the reduction.
// CHECK-LABEL: nest.func @mm
// CHECK: nest.block "C_o" ({{.*}}) annotate {intrinsic = "x86.vpdpbusd.512"} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<8x64xi8>, %B: memref<64x48xi8>, %C: memref<8x48xi32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 48 {
        nest.for %k = 0 to 64 {
          nest.block "C" (%vi : spatial = %i to 8, %vj : spatial = %j to 48, %vk : reduce = %k to 64) init {
            %z = arith.constant 0 : i32
            memref.store %z, %C[%vi, %vj] : memref<8x48xi32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<8x64xi8>
            %b = memref.load %B[%vk, %vj] : memref<64x48xi8>
            %c = memref.load %C[%vi, %vj] : memref<8x48xi32>
            %x = arith.extui %a : i8 to i32
            %y = arith.extsi %b : i8 to i32
            %p = arith.muli %x, %y : i32
            %s = arith.addi %c, %p : i32
            memref.store %s, %C[%vi, %vj] : memref<8x48xi32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    transform.nest.transform_layout %c "read" 1 to affine_map<(k, n) -> (n floordiv 16, k floordiv 4, n mod 16, k mod 4)>
    %i, %j, %k = transform.nest.get_loops %c : 3
    %jo, %ji = transform.nest.split %j by [-1, 16] : 2
    %ko, %ki = transform.nest.split %k by [-1, 4] : 2
    transform.nest.reorder %jo, %ko, %ji, %ki
    %init = transform.nest.decompose_reduction %c at %ko
    %o = transform.nest.blockize %ji
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

// Tiles: rows of any stride, the reduction as one loop or in digits, in any
// order; fewer rows than 16.
// CHECK-LABEL: nest.func @tiles
// CHECK: nest.block "C_o" ({{.*}}) annotate {intrinsic = "x86.amx.tdpbssd"} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 5 {
module attributes {transform.with_named_sequence} {
  nest.func @tiles(%A: memref<5x?xi8>, %B: memref<16x16x4xi8>, %C: memref<5x40xi32>, %n: index)
      attributes {shapes = [affine_map<()[n] -> (5, n)>, affine_map<()[n] -> (16, 16, 4)>, affine_map<()[n] -> (5, 40)>]} {
    nest.for %r = 0 to 4 {
      nest.for %j = 0 to 16 {
        nest.for %q = 0 to 16 {
          nest.for %i = 0 to 5 {
            nest.block "C" (%vi : spatial = %i to 5, %vj : spatial = %j to 16, %vq : reduce = %q to 16, %vr : reduce = %r to 4) {
              %c4 = arith.constant 4 : index
              %h = arith.muli %vq, %c4 : index
              %vk = arith.addi %h, %vr : index
              %a = memref.load %A[%vi, %vk] : memref<5x?xi8>
              %b = memref.load %B[%vq, %vj, %vr] : memref<16x16x4xi8>
              %c = memref.load %C[%vi, %vj] : memref<5x40xi32>
              %x = arith.extsi %a : i8 to i32
              %y = arith.extsi %b : i8 to i32
              %p = arith.muli %x, %y : i32
              %s = arith.addi %c, %p : i32
              memref.store %s, %C[%vi, %vj] : memref<5x40xi32>
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %r, %j, %q, %i = transform.nest.get_loops %c : 4
    %o = transform.nest.blockize %r
    transform.nest.tensorize %o with "x86.amx.tdpbssd"
    transform.yield
  }
}
