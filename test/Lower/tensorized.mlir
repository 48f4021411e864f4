// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// An instance whose sums live in registers: they go around the loop as a value,
// zeroed and written back by what stands around it.
// CHECK-LABEL: llvm.func hidden @carried(
// CHECK-NOT: llvm.alloca
// CHECK: %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[T:.*]] = %{{.*}}) -> (vector<16xi32>) {
// CHECK: %[[A:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i32
// CHECK: vector.broadcast %[[A]]
// CHECK: %[[R:.*]] = device.dot vpdpbusd %[[T]], %{{.*}}, %{{.*}} : vector<16xi32>, vector<64xi8>
// CHECK: scf.yield %[[R]]
// CHECK: llvm.store %[[SUM]]
nest.func @carried(%A: memref<64xi8>, %B: memref<16x16x4xi8>, %C: memref<16xi32>) {
  %T = nest.alloc : memref<16xi32, "register">
  nest.for %j = 0 to 16 vectorize {
    nest.block "zero" (%vj : spatial = %j to 16) {
      %z = arith.constant 0 : i32
      memref.store %z, %T[%vj] : memref<16xi32, "register">
    }
  }
  nest.for %q = 0 to 16 {
    nest.block "C_o" (%vq : reduce = %q to 16) annotate {intrinsic = "x86.vpdpbusd.512"} {
      nest.for %j = 0 to 16 {
        nest.for %k = 0 to 4 {
          nest.block "C" (%vj : spatial = %j to 16, %wq : reduce = %vq to 16, %vk : reduce = %k to 4) {
            %c4 = arith.constant 4 : index
            %h = arith.muli %wq, %c4 : index
            %at = arith.addi %h, %vk : index
            %a = memref.load %A[%at] : memref<64xi8>
            %b = memref.load %B[%wq, %vj, %vk] : memref<16x16x4xi8>
            %c = memref.load %T[%vj] : memref<16xi32, "register">
            %x = arith.extui %a : i8 to i32
            %y = arith.extsi %b : i8 to i32
            %p = arith.muli %x, %y : i32
            %s = arith.addi %c, %p : i32
            memref.store %s, %T[%vj] : memref<16xi32, "register">
          }
        }
      }
    }
  }
  nest.for %j = 0 to 16 vectorize {
    nest.block "out" (%vj : spatial = %j to 16) {
      %t = memref.load %T[%vj] : memref<16xi32, "register">
      memref.store %t, %C[%vj] : memref<16xi32>
    }
  }
}

// -----

// Fewer columns than lanes: masked. Rows of sizes known at run time.
// CHECK-LABEL: llvm.func hidden @masked(
// CHECK: llvm.intr.masked.load
// CHECK: device.dot vpdpbusd
// CHECK: llvm.intr.masked.store
nest.func @masked(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
  nest.block "C_o" () annotate {intrinsic = "x86.vpdpbusd.512"} {
    nest.for %j = 0 to 5 {
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 5, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }
}

// -----

// A nest that was changed after it was named, and is no instance any more, runs
// as the nest that it is.
// CHECK-LABEL: llvm.func hidden @changed(
// CHECK-NOT: device.dot
// CHECK: scf.for
// CHECK: arith.muli %{{.*}}, %{{.*}} : vector<16xi32>
nest.func @changed(%A: memref<4xi8>, %B: memref<4x16xi8>, %C: memref<16xi32>) {
  nest.block "C_o" () annotate {intrinsic = "x86.vpdpbusd.512"} {
    nest.for %k = 0 to 4 {
      nest.for %j = 0 to 16 vectorize {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vk, %vj] : memref<4x16xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }
}

// -----

// Sums in a tile: one that the loop touches at one place stays in a tile
// register while it runs, for loops inside of it too; where another access
// needs the memory it does not.
// CHECK-LABEL: llvm.func hidden @tiles(
// CHECK: %[[FIRST:.*]] = device.tile_load
// CHECK: %[[LAST:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[FIRST]]) -> (!device.tile<16x16xi32>) {
// CHECK: scf.for {{.*}} iter_args
// CHECK: device.tile_dot tdpbssd
// CHECK-NOT: device.tile_store
// CHECK: scf.yield
// CHECK: device.tile_store %[[LAST]]
nest.func @tiles(%A: memref<3x2x16x64xi8>, %B: memref<3x2x16x16x4xi8>, %C: memref<16x16xi32>) {
  %T = nest.alloc : memref<16x16xi32, "tile">
  nest.for %i = 0 to 16 {
    nest.for %j = 0 to 16 {
      nest.block "zero" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
        %z = arith.constant 0 : i32
        memref.store %z, %T[%vi, %vj] : memref<16x16xi32, "tile">
      }
    }
  }
  nest.for %r = 0 to 3 {
    nest.for %t = 0 to 2 {
      nest.block "C_o" (%vr : reduce = %r to 3, %vt : reduce = %t to 2) annotate {intrinsic = "x86.amx.tdpbssd"} {
        nest.for %i = 0 to 16 {
          nest.for %j = 0 to 16 {
            nest.for %q = 0 to 16 {
              nest.for %k = 0 to 4 {
                nest.block "C" (%vi : spatial = %i to 16, %vj : spatial = %j to 16, %wr : reduce = %vr to 3, %wt : reduce = %vt to 2, %vq : reduce = %q to 16, %vk : reduce = %k to 4) {
                  %c4 = arith.constant 4 : index
                  %h = arith.muli %vq, %c4 : index
                  %at = arith.addi %h, %vk : index
                  %a = memref.load %A[%wr, %wt, %vi, %at] : memref<3x2x16x64xi8>
                  %b = memref.load %B[%wr, %wt, %vq, %vj, %vk] : memref<3x2x16x16x4xi8>
                  %c = memref.load %T[%vi, %vj] : memref<16x16xi32, "tile">
                  %x = arith.extsi %a : i8 to i32
                  %y = arith.extsi %b : i8 to i32
                  %p = arith.muli %x, %y : i32
                  %s = arith.addi %c, %p : i32
                  memref.store %s, %T[%vi, %vj] : memref<16x16xi32, "tile">
                }
              }
            }
          }
        }
      }
    }
  }
  nest.for %i = 0 to 16 {
    nest.for %j = 0 to 16 {
      nest.block "out" (%vi : spatial = %i to 16, %vj : spatial = %j to 16) {
        %t = memref.load %T[%vi, %vj] : memref<16x16xi32, "tile">
        memref.store %t, %C[%vi, %vj] : memref<16x16xi32>
      }
    }
  }
}
