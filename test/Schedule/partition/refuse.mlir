// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{there is nothing to separate}}
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
    // expected-error @+1 {{no predicate or bound below loop 0 of block 'B' cuts off its first or last iterations}}
    %f, %r = transform.nest.separate_full_partial %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<100xf32>, %B: memref<100xf32>) {
    // expected-note @+1 {{there is no full part; a smaller tile would have one}}
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
    %o, %n = transform.nest.split %i by [-1, 128] : 2
    // expected-error @+1 {{a predicate touches every iteration of loop 0 of block 'B'}}
    %f, %r = transform.nest.separate_full_partial %o
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?xf32>, %a: index, %b: index, %c: index, %d: index, %e: index)
      attributes {shapes = [affine_map<()[a, b, c, d, e] -> (a)>]} {
    // expected-note @+1 {{each would be one more copy; separate a loop inside}}
    nest.for %i = 0 to symbol(%a) {
      nest.block "B" (%v : spatial = %i to symbol(%a))
          where (symbol(%b) - %i >= 0, symbol(%c) - %i >= 0, symbol(%d) - %i >= 0, symbol(%e) - %i >= 0,
                 symbol(%e) + symbol(%d) - %i * 3 >= 0) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%v] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    %i = transform.nest.get_loops %b : 1
    // expected-error @+1 {{what is below loop 0 of block 'B' cuts it at 5 different iterations}}
    %f, %r = transform.nest.separate_full_partial %i
    transform.yield
  }
}
