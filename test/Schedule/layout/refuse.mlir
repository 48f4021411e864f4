// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      // expected-note @+1 {{its digits must have strides}}
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the layout does not say dim 0 completely}}
    transform.nest.transform_layout %b "read" 0 to affine_map<(d0) -> (d0 floordiv 16, d0 mod 8)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    nest.for %i = 0 to 100 {
      // expected-note @+1 {{here; the layout of an output}}
      nest.block "B" (%v : spatial = %i to 100) {
        %a = memref.load %A[%v] : memref<100xf32>
        memref.store %a, %B[%v] : memref<100xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{argument 1 is written by the kernel}}
    transform.nest.transform_layout %b "write" 0 to affine_map<(d0) -> (d0 floordiv 10, d0 mod 10)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32> {nest.constant}, %B: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to 8 {
        // expected-note @+1 {{divide dims by factors that divide their extents}}
        nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 8) {
          %a = memref.load %A[%u, %v] : memref<8x8xf32>
          memref.store %a, %B[%u, %v] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the layout pads argument 0 to more than 256 times its size}}
    transform.nest.transform_layout %b "read" 0 to affine_map<(d0, d1) -> (d0 floordiv 1000, d1 floordiv 1000, d0 mod 1000, d1 mod 1000)>
    transform.yield
  }
}
