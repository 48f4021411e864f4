// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{there is no scope "moon"}}
    %c = transform.nest.cache_read %b read 0 in "moon"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' reads 1 buffers, there is no read 1}}
    %c = transform.nest.cache_read %b read 1 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      // expected-note @+1 {{the scope of an argument is the caller's}}
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' writes argument 1}}
    transform.nest.set_scope %b write 0 in "register"
    transform.yield
  }
}

// -----

// A triangle: the copy would overwrite the other one.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>, %B: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i {
        // expected-note @+1 {{the copy would overwrite what lies in between}}
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %a = memref.load %A[%u, %v] : memref<8x8xf32>
          memref.store %a, %B[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' leaves gaps in argument 1}}
    %c = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// The first row has no iterations at all.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i {
        // expected-note @+1 {{the copy would overwrite what lies in between}}
        nest.block "B" (%u : spatial = %i to 8, %v : ordered = %j to 8) {
          %a = memref.load %A[%u, %v] : memref<8x8xf32>
          memref.store %a, %B[%u] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' leaves gaps in argument 1}}
    %c = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// An update of what the caller gave.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x5xf32>, %C: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %k = 0 to 5 {
        nest.block "C" (%v : spatial = %i to 8, %vk : reduce = %k to 5) {
          %a = memref.load %A[%v, %vk] : memref<8x5xf32>
          // expected-note @+1 {{this read would find nothing in a new buffer}}
          %s = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{block 'C' updates what stands in argument 1}}
    %c = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// The steps from 2 on: elements hold what others left there.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x6xf32>, %S: memref<8xf32>) {
    nest.for %k = 0 to 4 {
      nest.for %i = 0 to 8 {
        // expected-note @+1 {{the copy would overwrite elements that it leaves alone}}
        nest.block "S" (%v : spatial = %i to 8, %vk : reduce = %k + 2 to 6) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %a = memref.load %A[%v, %vk] : memref<8x6xf32>
          %s = memref.load %S[%v] : memref<8xf32>
          %r = arith.addf %s, %a : f32
          memref.store %r, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %k, %i = transform.nest.get_loops %s : 2
    // expected-error @+1 {{the first step of the reduction of block 'S' may not be in its nest}}
    %c = transform.nest.cache_write %s write 0 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>) {
    nest.for %i = 0 to 8 parallel {
      // expected-note @+1 {{cache before giving loops a kind}}
      %S = nest.alloc : memref<8xf32>
      nest.block "S" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %S[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    // expected-error @+1 {{lives inside a loop that does not run in order}}
    %c = transform.nest.cache_write %s write 0 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "S" (%v : ordered = %i to 8) {
        %z = arith.constant 0.0 : f32
        // expected-note @+1 {{written here}}
        memref.store %z, %A[%v] : memref<8xf32>
        // expected-note @+1 {{read here}}
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    // expected-error @+1 {{argument 0 of block 'S' is written between any place for a copy and this read}}
    %t = transform.nest.cache_read %b read 0 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @later(%A: memref<6x4xf32>, %B: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{name only blocks that could use the copy}}
        nest.block "B" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          %m = arith.negf %a : f32
          memref.store %m, %B[%vi, %vj] : memref<6x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %B[%vi, %vj] : memref<6x4xf32>
          %m = arith.addf %a, %a : f32
          memref.store %m, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %c = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' does not read argument 1 of block 'C'}}
    %t = transform.nest.cache_read %b read 0 in "shared" for %c
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @later(%A: memref<6x4xf32>, %B: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{name only}}
        nest.block "B" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          %m = arith.negf %a : f32
          memref.store %m, %B[%vi, %vj] : memref<6x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %B[%vi, %vj] : memref<6x4xf32>
          %m = arith.addf %a, %a : f32
          memref.store %m, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    %c = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' does not use argument 2 of block 'C'}}
    %t = transform.nest.cache_write %b write 0 in "shared" for %c
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @later(%A: memref<6x4xf32>, %B: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 6 parallel {
      nest.for %j = 0 to 4 {
        nest.block "B" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          %m = arith.negf %a : f32
          memref.store %m, %B[%vi, %vj] : memref<6x4xf32>
        }
      }
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{a copy inside of that loop would be for all iterations at once}}
        nest.block "C" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %B[%vi, %vj] : memref<6x4xf32>
          %m = arith.addf %a, %a : f32
          memref.store %m, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'B' is parallel}}
    %t = transform.nest.cache_read %b read 0 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<6x4xf32>, %B: memref<6x4xf32>, %C: memref<6x4xf32>) {
    nest.for %i = 0 to 6 {
      nest.for %j = 0 to 4 parallel {
        nest.block "B" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          %a = memref.load %A[%vi, %vj] : memref<6x4xf32>
          memref.store %a, %B[%vi, %vj] : memref<6x4xf32>
        }
        nest.block "C" (%vi : spatial = %i to 6, %vj : spatial = %j to 4) {
          // expected-note @+1 {{here; cache before moving blocks together}}
          %b = memref.load %B[%vi, %vj] : memref<6x4xf32>
          memref.store %b, %C[%vi, %vj] : memref<6x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'C' uses argument 1 of block 'B' before any place for a copy}}
    %t = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// The copy would write all of each tile.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<6xf32>, %B: memref<6xf32>, %C: memref<6xf32>) {
    nest.for %i = 0 to 2 {
      nest.for %j = 0 to 4 {
        // expected-note @+1 {{cache before splitting loops by factors that do not divide them}}
        nest.block "B" (%v : spatial = %i * 4 + %j to 6) where (5 - %i * 4 - %j >= 0) {
          %a = memref.load %A[%v] : memref<6xf32>
          memref.store %a, %B[%v] : memref<6xf32>
        }
      }
      nest.for %j = 0 to 4 {
        nest.block "C" (%v : spatial = %i * 4 + %j to 6) where (5 - %i * 4 - %j >= 0) {
          %b = memref.load %B[%v] : memref<6xf32>
          memref.store %b, %C[%v] : memref<6xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' leaves gaps in argument 1 by its predicate}}
    %t = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// A loop that never runs writes nothing, so there is nothing to copy back.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xf32>, %B: memref<4xf32>) {
    nest.for %i = 0 to 4 {
      nest.for %n = 1 to 1 {
        // expected-note @+1 {{the copy would overwrite what lies in between}}
        nest.block "B" (%vi : spatial = %i to 4) {
          %a = memref.load %A[%vi] : memref<4xf32>
          memref.store %a, %B[%vi] : memref<4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' leaves gaps in argument 1}}
    %c = transform.nest.cache_write %b write 0 in "shared"
    transform.yield
  }
}

// -----

// 2 and 3 mod 3 are 2 and 0.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xf32>, %C: memref<3xf32>) {
    nest.for %r = 2 to 4 {
      // expected-note @below {{the copy would overwrite what lies in between}}
      nest.block "P" (%v : spatial = %r to 4) {
        %k = arith.constant 3 : index
        %w = arith.remui %v, %k : index
        %a = memref.load %A[%v] : memref<4xf32>
        memref.store %a, %C[%w] : memref<3xf32>
      }
    }
  }
  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @below {{block 'P' leaves gaps in argument 1}}
    %w = transform.nest.cache_write %p write 0 in "shared"
    transform.yield
  }
}
