// RUN: nestor-opt %s --transform-interpreter | FileCheck %s
// RUN: nestor-opt %s --transform-interpreter=entry-point=avx512 | FileCheck %s --check-prefix=AVX512
// RUN: nestor-opt %s --transform-interpreter --lower-to-loops | FileCheck %s --check-prefix=LOOPS

// A matmul of 1024 x 1024 x 1024 as GEMM libraries block it, its operands packed
// inside the kernel. One thread: 85 % of the FMA peak (benchmarks/micro/gemm.cpp
// measures both). The loops, from the outside:
//
//   ko   panels of kc steps of the reduction; each adds its sum to C
//          pack B[ko, :] into panels of nr columns               (stays in L3)
//   io   blocks of mc * mr rows
//          pack A[io, ko] into panels of mr rows                 (stays in L2)
//   jo   panels of B, kc x nr                                    (stay in L1)
//   it   panels of A, kc x mr
//          T = 0                               mr x nr in registers
//          for k in kc: T += A panel x B panel
//          C += T
//
// The tile decides: a step of k loads nr values of B and mr of A for mr * nr
// multiply-adds, and mr * nr / lanes accumulators hide the latency of an FMA
// (4 cycles x 2 units = 8). 4 x 16 takes 8 + 2 + 1 of AVX2's 16 registers,
// 8 x 32 takes 16 + 2 + 1 of AVX-512's 32.
// AS: 1024=128 512=64 256=32

// Panels of B, then of A: the digits of n and m are loops of their own.
// CHECK-LABEL: nest.func @gemm
// CHECK: nest.block "mm_init"
// CHECK: nest.for %[[KO:.*]] = 0 to 2 {
// CHECK-NEXT: nest.for %[[NO:.*]] = 0 to 64 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 512 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK-NEXT: nest.block "mm_rf_read1"
// CHECK: nest.for %[[IO:.*]] = 0 to 16 {
// CHECK: nest.for %{{.*}} = 0 to 16 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 512 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.block "mm_rf_read0"
// The tile.
// CHECK: nest.for %[[JO:.*]] = 0 to 64 {
// CHECK-NEXT: nest.for %[[IT:.*]] = 0 to 16 {
// CHECK: nest.alloc : memref<{{.*}}4x16xf32, "register">
// CHECK: nest.block "mm_rf_init"
// CHECK: nest.for %{{.*}} = 0 to 512 {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 4 unroll {
// CHECK-NEXT: nest.for %{{.*}} = 0 to 16 vectorize {
// CHECK-NEXT: nest.block "mm_rf"
// CHECK: nest.block "mm"

// AVX512: nest.alloc : memref<{{.*}}8x32xf32, "register">
// AVX512: nest.for %{{.*}} = 0 to 256 {
// AVX512-NEXT: nest.for %{{.*}} = 0 to 8 unroll {
// AVX512-NEXT: nest.for %{{.*}} = 0 to 32 vectorize {
// AVX512-NEXT: nest.block "mm_rf"

// The four rows of the tile go around the loop over k as values.
// LOOPS: llvm.func hidden @gemm
// LOOPS-NOT: llvm.alloca
// LOOPS: scf.for {{.*}} iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>) {
// LOOPS-COUNT-4: arith.mulf {{.*}} : vector<16xf32>
// LOOPS-NOT: llvm.store
// LOOPS: scf.yield
module attributes {transform.with_named_sequence} {
  nest.func @gemm(%A: memref<1024x1024xf32>, %B: memref<1024x1024xf32>, %C: memref<1024x1024xf32>) {
    nest.for %i = 0 to 1024 {
      nest.for %j = 0 to 1024 {
        nest.for %k = 0 to 1024 {
          nest.block "mm" (%vi : spatial = %i to 1024, %vj : spatial = %j to 1024, %vk : reduce = %k to 1024) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vi, %vj] : memref<1024x1024xf32>
          } {
            %a = memref.load %A[%vi, %vk] : memref<1024x1024xf32>
            %b = memref.load %B[%vk, %vj] : memref<1024x1024xf32>
            %c = memref.load %C[%vi, %vj] : memref<1024x1024xf32>
            %m = arith.mulf %a, %b : f32
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vi, %vj] : memref<1024x1024xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %kc = transform.tune.knob<"kc"> = 512 : i64 from options = [128, 256, 512, 1024] -> !transform.param<i64>
    %mc = transform.tune.knob<"mc"> = 16 : i64 from options = [4, 8, 16, 32, 64] -> !transform.param<i64>

    // A partial sum for each panel of k, and "mm" that adds them up: so the
    // panel's loop can be the outermost one.
    %ko, %ki = transform.nest.split %k by [-1, %kc] : 2
    transform.nest.reorder %ko, %ki, %i, %j
    %rf = transform.nest.rfactor %ko axis 0
    %sum = transform.nest.get_block "mm" in %root : !transform.any_op
    %part = transform.nest.get_block "mm_rf" in %root : !transform.any_op
    %si, %sj, %sk = transform.nest.get_loops %sum : 3
    %io, %it, %ii = transform.nest.split %si by [-1, %mc, 4] : 3
    %jo, %ji = transform.nest.split %sj by [-1, 16] : 2
    transform.nest.reorder %sk, %io, %jo, %it, %ii, %ji

    // The partial sum of a tile, in registers, right before it is added.
    transform.nest.compute_at %part at %it
    transform.nest.set_scope %part write 0 in "register"
    %c0 = transform.nest.decompose_reduction %sum at %sk

    // Packing: B for all columns of the panel, A for the block of rows.
    %b = transform.nest.cache_read %part read 1 in "shared"
    transform.nest.compute_at %b at %sk
    transform.nest.transform_layout %b "write" 0 to affine_map<(k, n) -> (n floordiv 16, k, n mod 16)>
    %a = transform.nest.cache_read %part read 0 in "shared"
    transform.nest.compute_at %a at %io
    transform.nest.transform_layout %a "write" 0 to affine_map<(m, k) -> (m floordiv 4, k, m mod 4)>

    // The tile: rows are copies of the code, columns lanes.
    %l0, %l1, %l2, %l3, %pi, %pj, %pk = transform.nest.get_loops %part : 7
    transform.nest.reorder %pk, %pi, %pj
    %t0 = transform.nest.decompose_reduction %part at %pk
    transform.nest.unroll %pi
    transform.nest.vectorize %pj
    %z0, %z1, %z2, %z3, %zi, %zj = transform.nest.get_loops %t0 : 6
    transform.nest.unroll %zi
    transform.nest.vectorize %zj
    transform.nest.unroll %ii
    transform.nest.vectorize %ji
    %i0, %i1, %i2, %i3, %ij = transform.nest.get_loops %c0 : 5
    transform.nest.vectorize %ij

    // The copies, panel by panel.
    %bk0, %bk, %bj = transform.nest.get_loops %b : 3
    %bjo, %bji = transform.nest.split %bj by [-1, 16] : 2
    transform.nest.reorder %bjo, %bk, %bji
    transform.nest.vectorize %bji
    %ak0, %ai0, %am, %ak = transform.nest.get_loops %a : 4
    %amo, %ami = transform.nest.split %am by [-1, 4] : 2
    transform.nest.reorder %amo, %ak, %ami
    transform.nest.unroll %ami
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }

  transform.named_sequence @avx512(%root: !transform.any_op {transform.readonly}) {
    %mm = transform.nest.get_block "mm" in %root : !transform.any_op
    %i, %j, %k = transform.nest.get_loops %mm : 3
    %kc = transform.tune.knob<"kc"> = 256 : i64 from options = [128, 256, 512, 1024] -> !transform.param<i64>
    %mc = transform.tune.knob<"mc"> = 16 : i64 from options = [4, 8, 16, 32, 64] -> !transform.param<i64>

    // A partial sum for each panel of k, and "mm" that adds them up: so the
    // panel's loop can be the outermost one.
    %ko, %ki = transform.nest.split %k by [-1, %kc] : 2
    transform.nest.reorder %ko, %ki, %i, %j
    %rf = transform.nest.rfactor %ko axis 0
    %sum = transform.nest.get_block "mm" in %root : !transform.any_op
    %part = transform.nest.get_block "mm_rf" in %root : !transform.any_op
    %si, %sj, %sk = transform.nest.get_loops %sum : 3
    %io, %it, %ii = transform.nest.split %si by [-1, %mc, 8] : 3
    %jo, %ji = transform.nest.split %sj by [-1, 32] : 2
    transform.nest.reorder %sk, %io, %jo, %it, %ii, %ji

    // The partial sum of a tile, in registers, right before it is added.
    transform.nest.compute_at %part at %it
    transform.nest.set_scope %part write 0 in "register"
    %c0 = transform.nest.decompose_reduction %sum at %sk

    // Packing: B for all columns of the panel, A for the block of rows.
    %b = transform.nest.cache_read %part read 1 in "shared"
    transform.nest.compute_at %b at %sk
    transform.nest.transform_layout %b "write" 0 to affine_map<(k, n) -> (n floordiv 32, k, n mod 32)>
    %a = transform.nest.cache_read %part read 0 in "shared"
    transform.nest.compute_at %a at %io
    transform.nest.transform_layout %a "write" 0 to affine_map<(m, k) -> (m floordiv 8, k, m mod 8)>

    // The tile: rows are copies of the code, columns lanes.
    %l0, %l1, %l2, %l3, %pi, %pj, %pk = transform.nest.get_loops %part : 7
    transform.nest.reorder %pk, %pi, %pj
    %t0 = transform.nest.decompose_reduction %part at %pk
    transform.nest.unroll %pi
    transform.nest.vectorize %pj
    %z0, %z1, %z2, %z3, %zi, %zj = transform.nest.get_loops %t0 : 6
    transform.nest.unroll %zi
    transform.nest.vectorize %zj
    transform.nest.unroll %ii
    transform.nest.vectorize %ji
    %i0, %i1, %i2, %i3, %ij = transform.nest.get_loops %c0 : 5
    transform.nest.vectorize %ij

    // The copies, panel by panel.
    %bk0, %bk, %bj = transform.nest.get_loops %b : 3
    %bjo, %bji = transform.nest.split %bj by [-1, 32] : 2
    transform.nest.reorder %bjo, %bk, %bji
    transform.nest.vectorize %bji
    %ak0, %ai0, %am, %ak = transform.nest.get_loops %a : 4
    %amo, %ami = transform.nest.split %am by [-1, 8] : 2
    transform.nest.reorder %amo, %ak, %ami
    transform.nest.unroll %ami
    transform.nest.compact_buffers %root : !transform.any_op
    transform.yield
  }
}
