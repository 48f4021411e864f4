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
