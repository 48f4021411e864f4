// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// CHECK-LABEL: nest.func @mm
// CHECK-DAG: %[[A:.*]] = nest.alloc : memref<8x12xf32>
// CHECK-DAG: %[[B:.*]] = nest.alloc : memref<12x32xf32>
// CHECK-DAG: %[[C:.*]] = nest.alloc : memref<8x32xf32>
// CHECK: nest.block "mm_pad"
// CHECK: scf.if
// CHECK: memref.load %arg0
// CHECK: arith.constant 0.0
// CHECK: nest.block "mm_pad_1"
// CHECK: nest.for %{{.*}} = 0 to 8 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 32 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 12 {
// CHECK-NEXT: nest.block "mm"
// CHECK: memref.load %[[A]]
// CHECK: memref.load %[[B]]
// CHECK: nest.for %{{.*}} = 0 to 7 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 30 {
// CHECK-NEXT: nest.block "mm_crop"
// CHECK: memref.store %{{.*}}, %arg2
module attributes {transform.with_named_sequence} {
  nest.func @mm(%A: memref<7x10xf32>, %B: memref<10x30xf32>, %C: memref<7x30xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %j = 0 to 30 {
        nest.for %k = 0 to 10 {
          nest.block "mm" (%vi : spatial = %i to 7, %vj : spatial = %j to 30, %vk : reduce = %k to 10) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<7x30xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
            %b = memref.load %B[%vk, %vj] : memref<10x30xf32>
            %c = memref.load %C[%vi, %vj] : memref<7x30xf32>
            %p = arith.mulf %a, %b : f32
            %r = arith.addf %c, %p : f32
            memref.store %r, %C[%vi, %vj] : memref<7x30xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    transform.nest.pad_einsum %mm to [8, 16, 4]
    transform.yield
  }
}

// -----

// A maximum is padded with what loses against everything.
// CHECK-LABEL: nest.func @rows
// CHECK: nest.block "mm_pad"
// CHECK: arith.constant 0xFF800000
module attributes {transform.with_named_sequence} {
  nest.func @rows(%A: memref<7x10xf32>, %C: memref<7xf32>) {
    nest.for %i = 0 to 7 {
      nest.for %k = 0 to 10 {
        nest.block "mm" (%vi : spatial = %i to 7, %vk : reduce = %k to 10) init {
          %z = arith.constant -10.0 : f32
          memref.store %z, %C[%vi] : memref<7xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<7x10xf32>
          %c = memref.load %C[%vi] : memref<7xf32>
          %r = arith.maximumf %c, %a : f32
          memref.store %r, %C[%vi] : memref<7xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    transform.nest.pad_einsum %mm to [1, 16]
    transform.yield
  }
}

// -----

// A constant of the model is padded by the kernel that packs it, and a layout
// on top of that is the same kernel. An index that has nothing to do with what
// is padded may be anything.
// CHECK-LABEL: nest.func @conv
// CHECK-SAME: memref<20x3xf32>
// CHECK-SAME: memref<2x3x8x6xf32> {nest.constant}
// CHECK-SAME: relayouts = [{arg = 1 : i64, kernel = @pack_conv_1}]
// CHECK: nest.block "C"
// CHECK: nest.block "C_crop"
// CHECK: nest.func @pack_conv_1(%[[FROM:.*]]: memref<3x5x10xf32>, %[[TO:.*]]: memref<2x3x8x6xf32>)
// CHECK: %[[BETWEEN:.*]] = nest.alloc : memref<3x8x12xf32>
// CHECK-NOT: nest.func
// CHECK: memref.load %[[FROM]]
// CHECK: memref.store %{{.*}}, %[[BETWEEN]]
// CHECK: memref.load %[[BETWEEN]]
// CHECK: memref.store %{{.*}}, %[[TO]]
module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<20x3xf32>, %W: memref<3x5x10xf32> {nest.constant}, %C: memref<18x5x10xf32>) {
    nest.for %i = 0 to 18 {
      nest.for %g = 0 to 5 {
        nest.for %j = 0 to 10 {
          nest.for %k = 0 to 3 {
            nest.block "C" (%vi : spatial = %i to 18, %vg : spatial = %g to 5, %vj : spatial = %j to 10, %vk : reduce = %k to 3) init {
              %z = arith.constant 0.0 : f32
              memref.store %z, %C[%vi, %vg, %vj] : memref<18x5x10xf32>
            } {
              %at = arith.addi %vi, %vk : index
              %a = memref.load %A[%at, %vk] : memref<20x3xf32>
              %w = memref.load %W[%vk, %vg, %vj] : memref<3x5x10xf32>
              %c = memref.load %C[%vi, %vg, %vj] : memref<18x5x10xf32>
              %p = arith.mulf %a, %w : f32
              %r = arith.addf %c, %p : f32
              memref.store %r, %C[%vi, %vg, %vj] : memref<18x5x10xf32>
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    transform.nest.pad_einsum %c to [1, 8, 4, 1]
    transform.nest.transform_layout %c "read" 1 to affine_map<(k, g, n) -> (n floordiv 6, k, g, n mod 6)>
    transform.yield
  }
}

// -----

// Of a dim that is not padded only what is read: nothing wrote %T[_, 0].
// CHECK-LABEL: nest.func @part
// CHECK: nest.for %[[I:.*]] = 0 to 4 {
// CHECK: nest.for %[[J:.*]] = 0 to 1 {
// CHECK: nest.block "C_pad" (%{{.*}} : spatial = %[[I]] to 4, %{{.*}} : spatial = %[[J]] + 1 to 2) {
// CHECK: nest.block "C"
module attributes {transform.with_named_sequence} {
  nest.func @part(%A: memref<3x2xf32>, %C: memref<3xf32>) {
    %T = nest.alloc : memref<3x2xf32>
    nest.for %k = 0 to 3 {
      nest.block "P" (%vk : spatial = %k to 3) {
        %one = arith.constant 1 : index
        %a = memref.load %A[%vk, %one] : memref<3x2xf32>
        memref.store %a, %T[%vk, %one] : memref<3x2xf32>
      }
    }
    nest.for %i = 0 to 3 {
      nest.for %k = 0 to 3 {
        nest.block "C" (%vi : spatial = %i to 3, %vk : reduce = %k to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi] : memref<3xf32>
        } {
          %one = arith.constant 1 : index
          %a = memref.load %T[%vk, %one] : memref<3x2xf32>
          %c = memref.load %C[%vi] : memref<3xf32>
          %s = arith.addf %c, %a : f32
          memref.store %s, %C[%vi] : memref<3xf32>
        }
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    transform.nest.pad_einsum %c to [1, 4]
    transform.yield
  }
}
