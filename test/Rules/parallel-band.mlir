// RUN: nestor-opt --schedule-default=target=x86-64-v3 %s | FileCheck %s

// A batch of a size that is known at run time may be 1: the rows after it run in
// parallel too, and the last loop of the band holds the grain.
//
// CHECK: nest.func @exp
// CHECK-NEXT: nest.for %{{.*}} = 0 to symbol(%{{.*}}) parallel annotate {grain = 1 : i64} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 6 parallel annotate {grain = 64 : i64} {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 32 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK-NEXT: nest.block "Y"
nest.func @exp(%X: memref<?x6x512xf32>, %Y: memref<?x6x512xf32>, %n: index)
    attributes {shapes = [affine_map<()[s0] -> (s0, 6, 512)>, affine_map<()[s0] -> (s0, 6, 512)>]} {
  nest.for %b = 0 to symbol(%n) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 512 {
        nest.block "Y" (%vb : spatial = %b to symbol(%n), %vi : spatial = %i to 6, %vj : spatial = %j to 512) {
          %x = memref.load %X[%vb, %vi, %vj] : memref<?x6x512xf32>
          %y = math.exp %x : f32
          memref.store %y, %Y[%vb, %vi, %vj] : memref<?x6x512xf32>
        }
      }
    }
  }
}
