// RUN: nestor-opt %s --split-input-file --transform-interpreter | FileCheck %s

// Online softmax: one block, both accumulators started by its init.
// CHECK-LABEL: nest.func @softmax
// CHECK: nest.for %[[K:.*]] = 0 to 10 {
// CHECK-NEXT: nest.block "max" (%{{.*}} : spatial = %{{.*}} to 4, %{{.*}} : reduce = %[[K]] to 10) init {
// CHECK: memref.store %{{.*}}, %arg1
// CHECK: memref.store %{{.*}}, %arg2
// CHECK: %[[OLD:.*]] = memref.load %arg1
// CHECK: %[[NEW:.*]] = arith.maximumf %[[OLD]]
// CHECK: memref.store %[[NEW]], %arg1
// CHECK: %[[D:.*]] = arith.subf %{{.*}}, %[[NEW]]
// CHECK: %[[E:.*]] = math.exp %[[D]]
// CHECK: %[[S:.*]] = memref.load %arg2
// CHECK: %[[F:.*]] = arith.subf %[[OLD]], %[[NEW]]
// CHECK: %[[G:.*]] = math.exp %[[F]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[S]], %[[G]]
// CHECK: %[[NONE:.*]] = arith.cmpf oeq, %[[OLD]]
// CHECK: %[[KEPT:.*]] = arith.select %[[NONE]], %{{.*}}, %[[SCALED]]
// CHECK: arith.addf %[[KEPT]], %[[E]]
// CHECK-NOT: nest.block
module attributes {transform.with_named_sequence} {
  nest.func @softmax(%X: memref<4x10xf32>, %M: memref<4xf32>, %S: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %M[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %r = arith.maximumf %m, %x : f32
          memref.store %r, %M[%v] : memref<4xf32>
        }
      }
      nest.for %k = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %m = memref.load %M[%v] : memref<4xf32>
          %d = arith.subf %x, %m : f32
          %e = math.exp %d : f32
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %e : f32
          memref.store %r, %S[%v] : memref<4xf32>
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
}

// -----

// The twin in whole numbers; the first loop is named, and k counts from 2.
// CHECK-LABEL: nest.func @twin
// CHECK: nest.block "max" (%{{.*}}, %[[N:.*]] : reduce =
// CHECK: %[[OLD:.*]] = memref.load %arg1
// CHECK: %[[NEW:.*]] = arith.maxsi %[[OLD]]
// CHECK: %[[STEP:.*]] = arith.subi %[[OLD]], %[[NEW]]
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[N]]
// CHECK: arith.muli %[[COUNT]], %[[STEP]]
// CHECK-NOT: nest.block
module attributes {transform.with_named_sequence} {
  nest.func @twin(%X: memref<?x10xi32>, %M: memref<?xi32>, %S: memref<?xi32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0, 10)>, affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.for %k = 2 to 12 {
        nest.block "max" (%v : spatial = %i to symbol(%n), %vk : reduce = %k - 2 to 10) init {
          %z = arith.constant -100 : i32
          memref.store %z, %M[%v] : memref<?xi32>
        } {
          %x = memref.load %X[%v, %vk] : memref<?x10xi32>
          %m = memref.load %M[%v] : memref<?xi32>
          %r = arith.maxsi %m, %x : i32
          memref.store %r, %M[%v] : memref<?xi32>
        }
      }
      nest.for %k = 2 to 12 {
        nest.block "sum" (%v : spatial = %i to symbol(%n), %vk : reduce = %k - 2 to 10) init {
          %z = arith.constant 7 : i32
          memref.store %z, %S[%v] : memref<?xi32>
        } {
          %x = memref.load %X[%v, %vk] : memref<?x10xi32>
          %m = memref.load %M[%v] : memref<?xi32>
          %d = arith.subi %x, %m : i32
          %s = memref.load %S[%v] : memref<?xi32>
          %r = arith.addi %s, %d : i32
          memref.store %r, %S[%v] : memref<?xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %max : 2
    %f = transform.nest.fuse_reductions %sum, %max at %k
    transform.yield
  }
}

// -----

// By tiles, with a third reduction over further columns.
// CHECK-LABEL: nest.func @attention
// CHECK: nest.for %{{.*}} = 0 to 4 {
// CHECK-NEXT: nest.for %[[K:.*]] = 0 to 4 {
// CHECK-NEXT: nest.block "max_old" (%{{.*}} : spatial = %{{.*}} to 4, %{{.*}} : ordered = %[[K]] to 4) where (%[[K]] - 1 >= 0)
// CHECK: nest.for %{{.*}} = 0 to 8 {
// CHECK-NEXT: nest.block "max"
// CHECK: nest.block "max_step" {{.*}} where (%[[K]] - 1 >= 0)
// CHECK: math.exp
// CHECK: nest.block "sum_fix" {{.*}} where (%[[K]] - 1 >= 0)
// CHECK: nest.for %{{.*}} = 0 to 8 {
// CHECK-NEXT: nest.block "sum"
// CHECK-NOT: nest.block "max_step_1"
// CHECK: nest.for %{{.*}} = 0 to 6 {
// CHECK-NEXT: nest.block "pv_fix" {{.*}} where (%[[K]] - 1 >= 0)
// CHECK: nest.block "pv"
module attributes {transform.with_named_sequence} {
  nest.func @attention(%X: memref<4x30xf32>, %V: memref<30x6xf32>, %M: memref<4xf32>, %S: memref<4xf32>, %O: memref<4x6xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %ko = 0 to 4 {
        nest.for %ki = 0 to 8 {
          nest.block "max" (%v : spatial = %i to 4, %vk : reduce = %ko * 8 + %ki to 30) where (%ko * -8 - %ki + 29 >= 0) init {
            %z = arith.constant 0xFF800000 : f32
            memref.store %z, %M[%v] : memref<4xf32>
          } {
            %x = memref.load %X[%v, %vk] : memref<4x30xf32>
            %m = memref.load %M[%v] : memref<4xf32>
            %r = arith.maximumf %m, %x : f32
            memref.store %r, %M[%v] : memref<4xf32>
          }
        }
      }
      nest.for %ko = 0 to 4 {
        nest.for %ki = 0 to 8 {
          nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %ko * 8 + %ki to 30) where (%ko * -8 - %ki + 29 >= 0) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %S[%v] : memref<4xf32>
          } {
            %x = memref.load %X[%v, %vk] : memref<4x30xf32>
            %m = memref.load %M[%v] : memref<4xf32>
            %d = arith.subf %x, %m : f32
            %e = math.exp %d : f32
            %s = memref.load %S[%v] : memref<4xf32>
            %r = arith.addf %s, %e : f32
            memref.store %r, %S[%v] : memref<4xf32>
          }
        }
      }
      nest.for %ko = 0 to 4 {
        nest.for %ki = 0 to 8 {
          nest.for %j = 0 to 6 {
            nest.block "pv" (%v : spatial = %i to 4, %vj : spatial = %j to 6, %vk : reduce = %ko * 8 + %ki to 30) where (%ko * -8 - %ki + 29 >= 0) init {
              %z = arith.constant 0.0 : f32
              memref.store %z, %O[%v, %vj] : memref<4x6xf32>
            } {
              %x = memref.load %X[%v, %vk] : memref<4x30xf32>
              %m = memref.load %M[%v] : memref<4xf32>
              %d = arith.subf %x, %m : f32
              %e = math.exp %d : f32
              %w = memref.load %V[%vk, %vj] : memref<30x6xf32>
              %p = arith.mulf %e, %w : f32
              %s = memref.load %O[%v, %vj] : memref<4x6xf32>
              %r = arith.addf %s, %p : f32
              memref.store %r, %O[%v, %vj] : memref<4x6xf32>
            }
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %max = transform.nest.get_block "max" in %root : !transform.any_op
    %sum = transform.nest.get_block "sum" in %root : !transform.any_op
    %pv = transform.nest.get_block "pv" in %root : !transform.any_op
    %i, %ko, %ki = transform.nest.get_loops %sum : 3
    %f = transform.nest.fuse_reductions %max, %sum, %pv at %ko
    transform.yield
  }
}

// -----

// Welford: the mean of what there is so far.
// CHECK-LABEL: nest.func @variance
// CHECK: nest.block "sum" (%{{.*}}, %[[N:.*]] : reduce =
// CHECK: %[[OLD:.*]] = memref.load %arg1
// CHECK: %[[NEW:.*]] = arith.addf %[[OLD]]
// CHECK: arith.addi %[[N]]
// CHECK: %[[MEAN:.*]] = arith.divf %[[NEW]]
// CHECK: arith.subf %{{.*}}, %[[MEAN]]
// CHECK: arith.divf %[[OLD]]
// CHECK-NOT: nest.block
module attributes {transform.with_named_sequence} {
  nest.func @variance(%X: memref<4x10xf32>, %S: memref<4xf32>, %Q: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %k = 0 to 10 {
        nest.block "sum" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %s = memref.load %S[%v] : memref<4xf32>
          %r = arith.addf %s, %x : f32
          memref.store %r, %S[%v] : memref<4xf32>
        }
      }
      nest.for %k = 0 to 10 {
        nest.block "squares" (%v : spatial = %i to 4, %vk : reduce = %k to 10) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %Q[%v] : memref<4xf32>
        } {
          %x = memref.load %X[%v, %vk] : memref<4x10xf32>
          %s = memref.load %S[%v] : memref<4xf32>
          %n = arith.constant 10.0 : f32
          %m = arith.divf %s, %n : f32
          %d = arith.subf %x, %m : f32
          %e = arith.mulf %d, %d : f32
          %q = memref.load %Q[%v] : memref<4xf32>
          %r = arith.addf %q, %e : f32
          memref.store %r, %Q[%v] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %a = transform.nest.get_block "sum" in %root : !transform.any_op
    %b = transform.nest.get_block "squares" in %root : !transform.any_op
    %i, %k = transform.nest.get_loops %b : 2
    %f = transform.nest.fuse_reductions %a, %b at %k
    transform.yield
  }
}
