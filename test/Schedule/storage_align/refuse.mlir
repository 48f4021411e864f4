// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    %T = nest.alloc : memref<16x64xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        // expected-note @+1 {{the strides of an argument are the caller's}}
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' writes argument 1}}
    transform.nest.storage_align %b write 0 axis 0 factor 32 offset 8
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    // expected-note @+1 {{these have no addresses}}
    %T = nest.alloc : memref<16x64xf32, "register">
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32, "register">
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32, "register">
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    // expected-error @+1 {{lives in registers}}
    transform.nest.storage_align %b write 0 axis 0 factor 32 offset 8
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    // expected-note @+1 {{name a dim outside of the innermost one}}
    %T = nest.alloc : memref<16x64xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    // expected-error @+1 {{dim 1 of the buffer of type memref<16x64xf32> has no stride to choose}}
    transform.nest.storage_align %b write 0 axis 1 factor 32 offset 8
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    // expected-note @+1 {{strides are numbers of elements}}
    %T = nest.alloc : memref<16x64xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    // expected-error @+1 {{factor 0 is not between 1 and 4096}}
    transform.nest.storage_align %b write 0 axis 0 factor 0 offset 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x64xf32>, %B: memref<16x64xf32>) {
    // expected-note @+1 {{it is what is left of the stride modulo the factor}}
    %T = nest.alloc : memref<16x64xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %A[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to 64 {
        nest.block "B" (%vi : spatial = %i to 16, %vj : spatial = %j to 64) {
          %a = memref.load %T[%vi, %vj] : memref<16x64xf32>
          memref.store %a, %B[%vi, %vj] : memref<16x64xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    // expected-error @+1 {{offset 4 is not between 0 and factor 4}}
    transform.nest.storage_align %b write 0 axis 0 factor 4 offset 4
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<16x?xf32>, %B: memref<16x?xf32>, %n: index) attributes {shapes = [affine_map<()[s0] -> (16, s0)>, affine_map<()[s0] -> (16, s0)>]} {
    // expected-note @+1 {{its stride is known at run time only}}
    %T = nest.alloc [16, symbol(%n)] : memref<16x?xf32>
    nest.for %i = 0 to 16 {
      nest.for %j = 0 to symbol(%n) {
        nest.block "T" (%vi : spatial = %i to 16, %vj : spatial = %j to symbol(%n)) {
          %a = memref.load %A[%vi, %vj] : memref<16x?xf32>
          memref.store %a, %T[%vi, %vj] : memref<16x?xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "T" in %root : !transform.any_op
    // expected-error @+1 {{are not all constants}}
    transform.nest.storage_align %b write 0 axis 0 factor 32 offset 8
    transform.yield
  }
}
