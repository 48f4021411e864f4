// RUN: nestor-opt %s --nestor-plan-memory --canonicalize | FileCheck %s

// Buffers that are never live together share bytes; the third starts where the
// first ended its life.
// CHECK-LABEL: func.func @chain
func.func @chain(%x: memref<16xf32>) -> memref<16xf32> {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C64:.*]] = arith.constant 64 : index
  // CHECK-DAG: %[[C128:.*]] = arith.constant 128 : index
  // CHECK: %[[A:.*]] = host.arena %[[C128]] : memref<?xi8>
  // CHECK: host.slice %[[A]] at %[[C0]]
  %a = host.alloc : memref<16xf32>
  host.copy %x to %a : memref<16xf32> to memref<16xf32>
  // CHECK: host.slice %[[A]] at %[[C64]]
  %b = host.alloc : memref<16xf32>
  host.copy %a to %b : memref<16xf32> to memref<16xf32>
  // CHECK: host.slice %[[A]] at %[[C0]]
  %c = host.alloc : memref<16xf32>
  host.copy %b to %c : memref<16xf32> to memref<16xf32>
  %o = host.output 0 : memref<16xf32>
  host.copy %c to %o : memref<16xf32> to memref<16xf32>
  return %o : memref<16xf32>
}

// A view keeps the bytes of its source alive.
// CHECK-LABEL: func.func @view
func.func @view(%x: memref<16xf32>) -> memref<4x4xf32> {
  // CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
  // CHECK-DAG: %[[C64:.*]] = arith.constant 64 : index
  // CHECK: %[[A:.*]] = host.arena
  // CHECK: host.slice %[[A]] at %[[C0]]
  %a = host.alloc : memref<16xf32>
  host.copy %x to %a : memref<16xf32> to memref<16xf32>
  %v = host.view %a : memref<16xf32> to memref<4x4xf32>
  // CHECK: host.slice %[[A]] at %[[C64]]
  %b = host.alloc : memref<16xf32>
  host.copy %x to %b : memref<16xf32> to memref<16xf32>
  %o = host.output 0 : memref<4x4xf32>
  host.copy %v to %o : memref<4x4xf32> to memref<4x4xf32>
  return %o : memref<4x4xf32>
}

// Dynamic sizes: one region for the constants, one for each product of sizes;
// buffers of n and 2n elements share the region of n.
// CHECK-LABEL: func.func @dynamic
func.func @dynamic(%x: memref<?xf32>) -> memref<?xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %n = memref.dim %x, %c0 : memref<?xf32>
  %n2 = arith.muli %n, %c2 : index
  // CHECK: %[[N:.*]] = memref.dim
  // CHECK: %[[Q:.*]] = arith.ceildivui %[[N]], %c64
  // CHECK: %[[B:.*]] = arith.muli %[[Q]], %c768
  // CHECK: %[[S:.*]] = arith.addi %{{.*}}, %c64
  // CHECK: host.arena %[[S]]
  // CHECK: host.slice %{{.*}} at %{{.*}}[%{{.*}}] : memref<?xi8> to memref<?xf32>
  %a = host.alloc [%n] : memref<?xf32>
  host.copy %x to %a : memref<?xf32> to memref<?xf32>
  %b = host.alloc [%n2] : memref<?xf32>
  %s = host.alloc : memref<2xf32>
  host.copy %s to %s : memref<2xf32> to memref<2xf32>
  host.copy %a to %a : memref<?xf32> to memref<?xf32>
  host.copy %b to %b : memref<?xf32> to memref<?xf32>
  %o = host.output 0 [%n] : memref<?xf32>
  return %o : memref<?xf32>
}

// A size that is read from data during the run cannot be planned, nor can a
// buffer that travels from one iteration of a loop to the next.
// CHECK-LABEL: func.func @scratch
func.func @scratch(%x: memref<i64>, %y: memref<4xf32>) -> memref<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK-NOT: host.arena
  %v = memref.load %x[] : memref<i64>
  %n = arith.index_cast %v : i64 to index
  // CHECK: host.scratch
  %a = host.alloc [%n] : memref<?xf32>
  host.copy %a to %a : memref<?xf32> to memref<?xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%s = %y) -> (memref<4xf32>) {
    // CHECK: scf.for
    // CHECK: host.scratch
    %b = host.alloc : memref<4xf32>
    host.copy %s to %b : memref<4xf32> to memref<4xf32>
    scf.yield %b : memref<4xf32>
  }
  %o = host.output 0 : memref<4xf32>
  host.copy %r to %o : memref<4xf32> to memref<4xf32>
  return %o : memref<4xf32>
}

// Used inside a loop: alive until the loop ends.
// CHECK-LABEL: func.func @loop
func.func @loop(%x: memref<16xf32>) -> memref<16xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // CHECK: %[[A:.*]] = host.arena %c128
  // CHECK: host.slice %[[A]] at %c0
  %a = host.alloc : memref<16xf32>
  host.copy %x to %a : memref<16xf32> to memref<16xf32>
  %o = host.output 0 : memref<16xf32>
  scf.for %i = %c0 to %c4 step %c1 {
    host.copy %a to %o : memref<16xf32> to memref<16xf32>
    // CHECK: host.slice %[[A]] at %c64
    %b = host.alloc : memref<16xf32>
    host.copy %o to %b : memref<16xf32> to memref<16xf32>
    host.copy %b to %o : memref<16xf32> to memref<16xf32>
  }
  return %o : memref<16xf32>
}
