// RUN: nestor-opt %s -split-input-file -verify-diagnostics

nest.func @stray(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 4 {
      // expected-error @+1 {{body uses a value from outside that is neither a buffer nor a size; bind it to an iterator}}
      nest.block "A" (%v : spatial = %i to 4) {
        // expected-note @+1 {{used here}}
        %x = memref.load %A[%j] : memref<4xf32>
        memref.store %x, %A[%v] : memref<4xf32>
      }
    }
  }
}

// -----

// expected-error @+1 {{needs 'shapes' since some of its buffers have dynamic dims}}
nest.func @no_shapes(%A: memref<?xf32>, %n: index) {
}

// -----

// expected-error @+1 {{takes buffers first, then sizes}}
nest.func @order(%n: index, %A: memref<4xf32>) {
}

// -----

nest.func @compute_in_loop(%A: memref<4xf32>) {
  // expected-error @+1 {{holds loops, blocks and buffers only, found 'arith.constant'}}
  nest.for %i = 0 to 4 {
    %c = arith.constant 0.0 : f32
  }
}

// -----

nest.func @init_without_reduce(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    // expected-error @+1 {{has an init but no reduce iterator}}
    nest.block "A" (%v : spatial = %i to 4) init {} {}
  }
}

// -----

nest.func @scope(%A: memref<4xf32>) {
  // expected-error @+1 {{knows the scopes "shared", "register" and "tile", got "moon"}}
  %m = nest.alloc : memref<4xf32, "moon">
}

// -----

nest.func @mixed(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    // expected-error @+1 {{holds either statements or a nest, in body and init alike}}
    nest.block "A" (%v : spatial = %i to 4) {
      nest.block "B" (%w : spatial = %v to 4) {}
      // expected-note @+1 {{unlike the rest}}
      %c = arith.constant 0.0 : f32
    }
  }
}

// -----

nest.func @mixed_init(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    // expected-error @+1 {{holds either statements or a nest, in body and init alike}}
    nest.block "A" (%v : reduce = %i to 4) init {
      // expected-note @+1 {{unlike the rest}}
      %c = arith.constant 0.0 : f32
    } {
      nest.block "B" (%w : spatial = %v to 4) {}
    }
  }
}

// -----

nest.func @through_two(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    // expected-error @+1 {{body uses a value from outside that is neither a buffer nor a size}}
    nest.block "A" (%v : spatial = %i to 4) {
      // expected-note @+1 {{used here}}
      nest.for %j = 0 to %i {
      }
    }
  }
}

// -----

nest.func @align(%A: memref<4xf32>) {
  // expected-error @+1 {{has an align that is no list of axis, factor and offset}}
  %m = nest.alloc {align = array<i64: 0, 8>} : memref<4x4xf32>
}

// -----

nest.func @align(%A: memref<4xf32>) {
  // expected-error @+1 {{aligns dim 1, which has no stride of its own}}
  %m = nest.alloc {align = array<i64: 1, 8, 0>} : memref<4x4xf32>
}

// -----

nest.func @align(%A: memref<4xf32>) {
  // expected-error @+1 {{aligns to 8 modulo 8}}
  %m = nest.alloc {align = array<i64: 0, 8, 8>} : memref<4x4xf32>
}
