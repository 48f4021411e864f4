// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{there is no scope "moon"}}
    %in, %out = transform.nest.cache_inplace %b write 0 in "moon"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' writes 1 buffers, there is no write 1}}
    %in, %out = transform.nest.cache_inplace %b write 1 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{there is nothing to copy in; use cache_write}}
      nest.block "B" (%v : spatial = %i to 8) {
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' does not read argument 1, which it writes}}
    %in, %out = transform.nest.cache_inplace %b write 0 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%C: memref<8xf32>) {
    nest.for %i = 0 to 8 parallel {
      // expected-note @+1 {{a copy inside of that loop would be for all iterations at once}}
      nest.block "twice" (%v : spatial = %i to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %r = arith.addf %c, %c : f32
        memref.store %r, %C[%v] : memref<8xf32>
      }
      nest.block "minus" (%v : spatial = %i to 8) {
        %c = memref.load %C[%v] : memref<8xf32>
        %r = arith.negf %c : f32
        memref.store %r, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "twice" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'twice' is parallel}}
    %in, %out = transform.nest.cache_inplace %b write 0 in "shared"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
    nest.for %t = 0 to 4 parallel {
      // expected-note @+1 {{cache before giving loops a kind}}
      %C = nest.alloc : memref<8xf32>
      nest.for %i = 0 to 8 {
        nest.block "in" (%vt : spatial = %t to 4, %v : spatial = %i to 8) {
          %c = memref.load %A[%vt, %v] : memref<4x8xf32>
          memref.store %c, %C[%v] : memref<8xf32>
        }
      }
      nest.for %i = 0 to 8 {
        nest.block "twice" (%vt : spatial = %t to 4, %v : spatial = %i to 8) {
          %c = memref.load %C[%v] : memref<8xf32>
          %r = arith.addf %c, %c : f32
          memref.store %r, %C[%v] : memref<8xf32>
        }
      }
      nest.for %i = 0 to 8 {
        nest.block "out" (%vt : spatial = %t to 4, %v : spatial = %i to 8) {
          %c = memref.load %C[%v] : memref<8xf32>
          memref.store %c, %B[%vt, %v] : memref<4x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "twice" in %root : !transform.any_op
    // expected-error @+1 {{lives inside a loop that does not run in order}}
    %in, %out = transform.nest.cache_inplace %b write 0 in "shared"
    transform.yield
  }
}
