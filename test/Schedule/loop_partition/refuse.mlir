// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{of this loop}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop_partition needs at least two parts}}
    %l:1 = transform.nest.loop_partition %i by [8] : 1
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{of this loop}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{part -1 is the second to be inferred}}
    %l:2 = transform.nest.loop_partition %i by [-1, -1] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{of this loop}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{part 0 is not positive}}
    %l:2 = transform.nest.loop_partition %i by [8, 0] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{leave one part out (-1)}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the parts have 7 iterations, which loop 0 of block 'B' is not shown to have exactly}}
    %l:2 = transform.nest.loop_partition %i by [2, 5] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{its extent may be less; split_domain cuts anywhere}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{the parts have 9 iterations, which loop 0 of block 'B' is not shown to have}}
    %l:2 = transform.nest.loop_partition %i by [9, -1] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?xf32>, %B: memref<?xf32>, %n: index {nest.min = 4 : i64})
      attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
    // expected-note @+1 {{its extent may be less}}
    nest.for %i = 0 to symbol(%n) {
      nest.block "B" (%v : spatial = %i to symbol(%n)) {
        %a = memref.load %A[%v] : memref<?xf32>
        memref.store %a, %B[%v] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the parts have 5 iterations, which loop 0 of block 'B' is not shown to have}}
    %p, %q = transform.nest.loop_partition %i by [5, -1] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    // expected-note @+1 {{partition loops before giving them a kind}}
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 4 {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    transform.nest.parallel %i grain [1]
    // expected-error @+1 {{loop 0 of block 'B' is parallel}}
    %p, %q = transform.nest.loop_partition %i by [2, -1] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{only loops over a single range can be partitioned}}
      nest.for %j = 0 to min(4, %i + 1) {
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) {
          %a = memref.load %A[%u, %v] : memref<8x4xf32>
          memref.store %a, %B[%u, %v] : memref<8x4xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i, %j = transform.nest.get_loops %b : 2
    // expected-error @+1 {{loop 1 of block 'B' has several bounds}}
    %p, %q = transform.nest.loop_partition %j by [1, -1] : 2
    transform.yield
  }
}
