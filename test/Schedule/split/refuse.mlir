// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{of this extent; leave one factor out}}
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{do not cover loop 0 of block 'B'}}
    %o, %n = transform.nest.split %i by [6, 16] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{of this loop}}
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{is the second to be inferred}}
    %o, %n = transform.nest.split %i by [-1, -1] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{split loops before giving them a kind}}
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    transform.nest.parallel %i grain [1]
    // expected-error @+1 {{loop 0 of block 'B' is parallel}}
    %o, %n = transform.nest.split %i by [-1, 4] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{peel the rest off, or take a predicate}}
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{the split factors are not shown to divide the extent of loop 0 of block 'B'}}
    %o, %l = transform.nest.split %i by [-1, 16] tail "perfect" : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{give -1 as the first factor}}
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{a rest can be peeled only where the outermost factor is left out}}
    %o, %l = transform.nest.split %i by [16, -1] tail "peel" : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{there is nothing but the rest; take smaller factors}}
    nest.for %i = 0 to 100 {
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{loop 0 of block 'B' has no full tile of 128 iterations}}
    %o, %l = transform.nest.split %i by [-1, 128] tail "peel" : 2
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
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{there is no tail "cut"}}
    %o, %l = transform.nest.split %i by [-1, 16] tail "cut" : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{leave the outermost factor out (-1), and no tail}}
      nest.for %j = max(0, %i - 2) to min(%i + 1, 4) {
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
    %o, %l = transform.nest.split %j by [2, -1] : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x4xf32>, %B: memref<8x4xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{leave the outermost factor out (-1), and no tail}}
      nest.for %j = max(0, %i - 2) to min(%i + 1, 4) {
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
    %o, %l = transform.nest.split %j by [-1, 2] tail "peel" : 2
    transform.yield
  }
}
