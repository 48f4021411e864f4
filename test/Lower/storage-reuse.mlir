// RUN: nestor-opt --lower-to-loops --split-input-file %s | FileCheck %s

// Buffers whose lives do not overlap share memory: V lies where T was.
// CHECK-LABEL: llvm.func hidden @chain(
// CHECK: arith.constant 2097152 : index
// CHECK: %[[ONE:.*]] = llvm.call %{{.*}} -> !llvm.ptr
// CHECK: arith.constant 4194304 : index
// CHECK: %[[TWO:.*]] = llvm.call %{{.*}} -> !llvm.ptr
// CHECK: scf.for
// CHECK: llvm.getelementptr inbounds %[[ONE]]
// CHECK: llvm.getelementptr inbounds %[[TWO]]
// CHECK: scf.for
// CHECK: llvm.getelementptr inbounds %[[TWO]]
// CHECK: llvm.getelementptr inbounds %[[ONE]]
// CHECK-NOT: llvm.call
// CHECK: llvm.return
nest.func @chain(%A: memref<524288xf32>, %B: memref<524288xf32>) {
  %T = nest.alloc : memref<524288xf32>
  %U = nest.alloc : memref<524288xf64>
  %V = nest.alloc : memref<500000xf32>
  nest.for %i = 0 to 524288 {
    nest.block "T" (%v : spatial = %i to 524288) {
      %a = memref.load %A[%v] : memref<524288xf32>
      memref.store %a, %T[%v] : memref<524288xf32>
    }
  }
  nest.for %i = 0 to 524288 {
    nest.block "U" (%v : spatial = %i to 524288) {
      %a = memref.load %T[%v] : memref<524288xf32>
      %b = arith.extf %a : f32 to f64
      memref.store %b, %U[%v] : memref<524288xf64>
    }
  }
  nest.for %i = 0 to 500000 {
    nest.block "V" (%v : spatial = %i to 500000) {
      %a = memref.load %U[%v] : memref<524288xf64>
      %b = arith.truncf %a : f64 to f32
      memref.store %b, %V[%v] : memref<500000xf32>
    }
  }
  nest.for %i = 0 to 500000 {
    nest.block "B" (%v : spatial = %i to 500000) {
      %a = memref.load %V[%v] : memref<500000xf32>
      memref.store %a, %B[%v] : memref<524288xf32>
    }
  }
}

// -----

// Sizes that are known at run time: the larger one is asked for.
// CHECK-LABEL: llvm.func hidden @sized(
// CHECK: %[[N:.*]] = arith.index_cast %{{.*}} : i64 to index
// CHECK: %[[MAX:.*]] = arith.maxsi
// CHECK: arith.index_cast %[[MAX]]
// CHECK: llvm.call
// CHECK-NOT: llvm.call
// CHECK: llvm.return
nest.func @sized(%A: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0)>]} {
  %T = nest.alloc [symbol(%n)] : memref<?xf32>
  %U = nest.alloc [symbol(%n) + 1, 3] : memref<?x3xi8>
  nest.for %i = 0 to symbol(%n) {
    nest.block "T" (%v : spatial = %i to symbol(%n)) {
      %a = memref.load %A[%v] : memref<?xf32>
      memref.store %a, %T[%v] : memref<?xf32>
    }
  }
  nest.for %i = 0 to symbol(%n) {
    nest.block "U" (%v : spatial = %i to symbol(%n)) {
      %c0 = arith.constant 0 : index
      %a = arith.constant 1 : i8
      memref.store %a, %U[%v, %c0] : memref<?x3xi8>
    }
  }
}

// -----

// Lives that overlap: a loop that is around both uses counts whole.
// CHECK-LABEL: llvm.func hidden @loop(
// CHECK: llvm.call
// CHECK: llvm.call
// CHECK: scf.for
nest.func @loop(%A: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0)>]} {
  %T = nest.alloc [symbol(%n)] : memref<?xf32>
  %U = nest.alloc [symbol(%n)] : memref<?xf32>
  nest.for %i = 0 to symbol(%n) {
    nest.block "T" (%v : spatial = %i to symbol(%n)) {
      %a = memref.load %A[%v] : memref<?xf32>
      memref.store %a, %T[%v] : memref<?xf32>
    }
    nest.block "U" (%v : spatial = %i to symbol(%n)) {
      %a = arith.constant 1.0 : f32
      memref.store %a, %U[%v] : memref<?xf32>
    }
  }
}

// -----

// Inside of that loop they are made anew in each iteration, and share; workers
// of a parallel loop have memory of their own.
// CHECK-LABEL: llvm.func hidden @scratch(
// CHECK: llvm.call
// CHECK: scf.for
// CHECK: llvm.call %{{.*}} -> i32
// CHECK-NOT: llvm.call
// CHECK: llvm.return
// CHECK-LABEL: llvm.func hidden @scratch_par0(
// CHECK: llvm.call
// CHECK: scf.for
// CHECK-NOT: llvm.call
// CHECK: llvm.return
nest.func @scratch(%A: memref<?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (s0)>]} {
  nest.for %i = 0 to symbol(%n) {
    %T = nest.alloc [symbol(%n)] : memref<?xf32>
    %U = nest.alloc [symbol(%n)] : memref<?xf32>
    nest.block "T" (%v : spatial = %i to symbol(%n)) {
      %a = memref.load %A[%v] : memref<?xf32>
      memref.store %a, %T[%v] : memref<?xf32>
    }
    nest.block "U" (%v : spatial = %i to symbol(%n)) {
      %a = arith.constant 1.0 : f32
      memref.store %a, %U[%v] : memref<?xf32>
    }
  }
  nest.for %i = 0 to symbol(%n) parallel {
    %T = nest.alloc [symbol(%n)] : memref<?xf32>
    %U = nest.alloc [symbol(%n)] : memref<?xf32>
    nest.block "V" (%v : spatial = %i to symbol(%n)) {
      %a = memref.load %A[%v] : memref<?xf32>
      memref.store %a, %T[%v] : memref<?xf32>
    }
    nest.block "W" (%v : spatial = %i to symbol(%n)) {
      %a = arith.constant 1.0 : f32
      memref.store %a, %U[%v] : memref<?xf32>
    }
  }
}

// -----

// Stack slots say when they live.
// CHECK-LABEL: llvm.func hidden @slots(
// CHECK: llvm.intr.lifetime.start %[[T:.*]] :
// CHECK: scf.for
// CHECK: llvm.intr.lifetime.end %[[T]] :
// CHECK: llvm.intr.lifetime.start %[[U:.*]] :
// CHECK: scf.for
// CHECK: llvm.intr.lifetime.end %[[U]] :
nest.func @slots(%A: memref<8xf32>) {
  %T = nest.alloc : memref<8xf32>
  %U = nest.alloc : memref<8xf32>
  nest.for %i = 0 to 8 {
    nest.block "T" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %T[%v] : memref<8xf32>
    }
  }
  nest.for %i = 0 to 8 {
    nest.block "U" (%v : spatial = %i to 8) {
      %a = memref.load %A[%v] : memref<8xf32>
      memref.store %a, %U[%v] : memref<8xf32>
    }
  }
}
