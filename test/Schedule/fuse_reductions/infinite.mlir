// RUN: nestor-opt %s --test-interpret="function=f iota=1" -o /dev/null | FileCheck %s
// RUN: nestor-opt %s --transform-interpreter --test-interpret="function=f iota=1" -o /dev/null | FileCheck %s
// RUN: nestor-opt %s --transform-interpreter="entry-point=tiles" --test-interpret="function=f iota=1" -o /dev/null | FileCheck %s

// While the maximum is -inf nothing counts; a row of nothing else gives the NaN
// that it gave before. Row 0 begins with a whole tile of -inf, row 1 has it in
// the middle, row 2 is -inf alone.
// CHECK: buffer 2: 3xf32 [1.503215, 1.513343, nan]
module attributes {transform.with_named_sequence} {
  nest.func @f(%X: memref<3x8xf32>, %M: memref<3xf32>, %S: memref<3xf32>) {
    %T = nest.alloc : memref<3x8xf32>
    nest.for %i = 0 to 3 {
      nest.for %k = 0 to 8 {
        nest.block "mask" (%v : spatial = %i to 3, %vk : spatial = %k to 8) {
          %none = arith.constant 0xFF800000 : f32
          %c5 = arith.constant 5 : index
          %c3 = arith.constant 3 : index
          %c2 = arith.constant 2 : index
          %c1 = arith.constant 1 : index
          %c0 = arith.constant 0 : index
          %is0 = arith.cmpi eq, %v, %c0 : index
          %is1 = arith.cmpi eq, %v, %c1 : index
          %is2 = arith.cmpi eq, %v, %c2 : index
          %early = arith.cmpi slt, %vk, %c5 : index
          %late = arith.cmpi sge, %vk, %c3 : index
          %middle = arith.andi %early, %late : i1
          %a = arith.andi %is0, %early : i1
          %b = arith.andi %is1, %middle : i1
          %c = arith.ori %a, %b : i1
          %d = arith.ori %c, %is2 : i1
          %x = memref.load %X[%v, %vk] : memref<3x8xf32>
          %y = arith.select %d, %none, %x : f32
          memref.store %y, %T[%v, %vk] : memref<3x8xf32>
        }
      }
    }
    nest.for %i = 0 to 3 {
      nest.for %k = 0 to 8 {
        nest.block "max" (%v : spatial = %i to 3, %vk : reduce = %k to 8) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<3xf32>
        } {
          %x = memref.load %T[%v, %vk] : memref<3x8xf32>
          %m = memref.load %M[%v] : memref<3xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<3xf32>
        }
      }
      nest.for %k = 0 to 8 {
        nest.block "sum" (%v : spatial = %i to 3, %vk : reduce = %k to 8) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<3xf32>
        } {
          %x = memref.load %T[%v, %vk] : memref<3x8xf32>
          %m = memref.load %M[%v] : memref<3xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<3xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<3xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %sum : 2
    %f = transform.nest.fuse_reductions %max, %sum at %k
    transform.yield
  }
  transform.named_sequence @tiles(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %max : 2
    %j, %l = transform.nest.get_loops %sum : 2
    %ko, %ki = transform.nest.split %k by [-1, 4] : 2
    %lo, %li = transform.nest.split %l by [-1, 4] : 2
    %f = transform.nest.fuse_reductions %max, %sum at %lo
    transform.yield
  }
}
