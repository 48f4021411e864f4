// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A pooling over a copy with a border of the least value reads the original:
// rows that are outside are no iterations, columns that are outside are left
// out in the code of the first and the last tile.
//
// CHECK-LABEL: nest.func @pool
// CHECK-NOT: "pad"
// CHECK: nest.for %[[H:.*]] = 0 to 28
//
// The first tile; its positions and columns are numbers.
// CHECK: nest.for %{{.*}} = 0 to 1 {
// CHECK: nest.for %{{.*}} = max(0, %[[H]] * -2 + 1) to 3 {
// CHECK: nest.block "pool_head"{{.*}} where (
//
// CHECK: nest.for %{{.*}} = max(0, %[[H]] * -2 + 1) to 3 {
// CHECK: nest.for %{{.*}} unroll {
// CHECK: nest.for %{{.*}} = 0 to 3 unroll {
// CHECK: nest.block "pool" (
// CHECK-NOT: where
// CHECK: memref.load %arg0
nest.func @pool(%X: memref<56x56x32xf32>, %Y: memref<28x28x32xf32>) {
  %P = nest.alloc : memref<58x58x32xf32>
  nest.for %h = 0 to 58 {
    nest.for %w = 0 to 58 {
      nest.for %c = 0 to 32 {
        nest.block "pad" (%vh : spatial = %h to 58, %vw : spatial = %w to 58, %vc : spatial = %c to 32) {
          %zero = arith.constant 0 : index
          %one = arith.constant 1 : index
          %last = arith.constant 55 : index
          %least = arith.constant 0xFF800000 : f32
          %i = arith.subi %vh, %one : index
          %j = arith.subi %vw, %one : index
          %a = arith.cmpi sge, %i, %zero : index
          %b = arith.cmpi sle, %i, %last : index
          %d = arith.cmpi sge, %j, %zero : index
          %e = arith.cmpi sle, %j, %last : index
          %ab = arith.andi %a, %b : i1
          %de = arith.andi %d, %e : i1
          %inside = arith.andi %ab, %de : i1
          %i1 = arith.minsi %i, %last : index
          %i2 = arith.maxsi %i1, %zero : index
          %j1 = arith.minsi %j, %last : index
          %j2 = arith.maxsi %j1, %zero : index
          %x = memref.load %X[%i2, %j2, %vc] : memref<56x56x32xf32>
          %p = arith.select %inside, %x, %least : f32
          memref.store %p, %P[%vh, %vw, %vc] : memref<58x58x32xf32>
        }
      }
    }
  }
  nest.for %h = 0 to 28 {
    nest.for %w = 0 to 28 {
      nest.for %c = 0 to 32 {
        nest.for %p = 0 to 3 {
          nest.for %q = 0 to 3 {
            nest.block "pool" (%vh : spatial = %h to 28, %vw : spatial = %w to 28, %vc : spatial = %c to 32,
                               %vp : reduce = %p to 3, %vq : reduce = %q to 3) init {
              %z = arith.constant 0xFF800000 : f32
              memref.store %z, %Y[%vh, %vw, %vc] : memref<28x28x32xf32>
            } {
              %two = arith.constant 2 : index
              %h2 = arith.muli %vh, %two : index
              %w2 = arith.muli %vw, %two : index
              %row = arith.addi %h2, %vp : index
              %column = arith.addi %w2, %vq : index
              %x = memref.load %P[%row, %column, %vc] : memref<58x58x32xf32>
              %y = memref.load %Y[%vh, %vw, %vc] : memref<28x28x32xf32>
              %m = arith.maximumf %y, %x : f32
              memref.store %m, %Y[%vh, %vw, %vc] : memref<28x28x32xf32>
            }
          }
        }
      }
    }
  }
}

// A border of another value is part of the result: the copy stays.
// CHECK-LABEL: nest.func @other
// CHECK: nest.block "pad"
// CHECK: nest.block "pool"
nest.func @other(%X: memref<16x32xf32>, %Y: memref<16x32xf32>) {
  %P = nest.alloc : memref<18x32xf32>
  nest.for %w = 0 to 18 {
    nest.for %c = 0 to 32 {
      nest.block "pad" (%vw : spatial = %w to 18, %vc : spatial = %c to 32) {
        %zero = arith.constant 0 : index
        %one = arith.constant 1 : index
        %last = arith.constant 15 : index
        %outside = arith.constant 0.0 : f32
        %j = arith.subi %vw, %one : index
        %d = arith.cmpi sge, %j, %zero : index
        %e = arith.cmpi sle, %j, %last : index
        %inside = arith.andi %d, %e : i1
        %j1 = arith.minsi %j, %last : index
        %j2 = arith.maxsi %j1, %zero : index
        %x = memref.load %X[%j2, %vc] : memref<16x32xf32>
        %p = arith.select %inside, %x, %outside : f32
        memref.store %p, %P[%vw, %vc] : memref<18x32xf32>
      }
    }
  }
  nest.for %w = 0 to 16 {
    nest.for %c = 0 to 32 {
      nest.for %q = 0 to 3 {
        nest.block "pool" (%vw : spatial = %w to 16, %vc : spatial = %c to 32, %vq : reduce = %q to 3) init {
          %z = arith.constant 0xFF800000 : f32
          memref.store %z, %Y[%vw, %vc] : memref<16x32xf32>
        } {
          %column = arith.addi %vw, %vq : index
          %x = memref.load %P[%column, %vc] : memref<18x32xf32>
          %y = memref.load %Y[%vw, %vc] : memref<16x32xf32>
          %m = arith.maximumf %y, %x : f32
          memref.store %m, %Y[%vw, %vc] : memref<16x32xf32>
        }
      }
    }
  }
}
