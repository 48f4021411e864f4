// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?xf32>, %B: memref<?xf32>, %n: index)
      attributes {shapes = [affine_map<()[s0] -> (s0)>, affine_map<()[s0] -> (s0)>]} {
    // expected-note @+1 {{split it by numbers, with -1 for the outermost}}
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
    // expected-error @+1 {{loop 0 of block 'B' has no constant extent to cut}}
    %f:2 = transform.nest.sample_perfect_tile %i max_innermost 16 : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{a tile has at least one factor}}
    transform.nest.sample_perfect_tile %i max_innermost 16 : 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-note @+2 {{ask for two factors}}
    // expected-error @+1 {{one factor of 48 is more than the 16 allowed innermost}}
    %f = transform.nest.sample_perfect_tile %i max_innermost 16 : 1
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-note @+2 {{at least one factor is on each side of it}}
    // expected-error @+1 {{partition 2 of 2 factors}}
    %f:2 = transform.nest.sample_partitioned_tile %i partition 2 inner_multiple 4 : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-note @+2 {{pad the loop, or take a divisor}}
    // expected-error @+1 {{5 does not divide the extent 48}}
    %f:2 = transform.nest.sample_partitioned_tile %i partition 1 inner_multiple 5 : 2
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{there is no candidate to choose}}
    %f = transform.nest.sample_categorical [] with []
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{2 candidates have 1 probabilities}}
    %f = transform.nest.sample_categorical [1, 2] with [0.5]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<48xf32>, %B: memref<48xf32>) {
    nest.for %i = 0 to 48 {
      nest.block "B" (%v : spatial = %i to 48) {
        %a = memref.load %A[%v] : memref<48xf32>
        memref.store %a, %B[%v] : memref<48xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{probabilities are not negative, and one of them is positive}}
    %f = transform.nest.sample_categorical [1, 2] with [0.5, -0.5]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%v] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "C" (%v : spatial = %i to 8) {
        %t = memref.load %T[%v] : memref<8xf32>
        memref.store %t, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    // expected-error @+1 {{compute_at needs a loop or a location}}
    transform.nest.compute_at %p
    transform.yield
  }
}
