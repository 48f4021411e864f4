// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    // expected-note @+1 {{this loop}}
    nest.for %h = 0 to 10 {
      nest.block "other" (%v : spatial = %h to 10) {
      }
    }
    nest.for %i = 0 to 10 {
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %other = transform.nest.get_block "other" in %root : !transform.any_op
    %i = transform.nest.get_loops %other : 1
    // expected-error @+1 {{loop 0 of block 'other' is not around block 'pad'}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      // expected-note @+1 {{a padding copies, it does not reduce}}
      nest.block "pad" (%v : ordered = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{block 'pad' is not complete}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
        // expected-note @+1 {{this one}}
        memref.store %x, %P[%one] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{block 'pad' has not exactly one store}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      // expected-note @+1 {{it stores something else than scf.if or arith.select}}
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        %y = arith.negf %x : f32
        memref.store %y, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{block 'pad' does not choose between a value and a constant}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        // expected-note @+1 {{what it stores outside is no constant}}
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = memref.load %A[%one] : memref<8xf32>
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{block 'pad' does not choose between a value and a constant}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.ori %low, %high : i1
        // expected-note @+1 {{it cannot be told where the padding is}}
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{the condition of block 'pad' is no affine statement about its iterators}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>, %P: memref<10xf32>) {
    nest.for %i = 0 to 10 {
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
      // expected-note @+1 {{the fill would come before all its iterations; choose a loop inside}}
      nest.block "use" (%v : ordered = %i to 10) {
        %p = memref.load %P[%v] : memref<10xf32>
        memref.store %p, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{block 'use' uses argument 1 inside loop 0 of block 'pad'}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @pad(%A: memref<8xf32>) {
    nest.for %i = 0 to 10 {
      // expected-note @+1 {{decompose before buffers move}}
      %P = nest.alloc : memref<10xf32>
      nest.block "pad" (%v : spatial = %i to 10) {
        %one = arith.constant 1 : index
        %nine = arith.constant 9 : index
        %low = arith.cmpi sge, %v, %one : index
        %high = arith.cmpi slt, %v, %nine : index
        %inside = arith.andi %low, %high : i1
        %x = scf.if %inside -> f32 {
          %j = arith.subi %v, %one : index
          %a = memref.load %A[%j] : memref<8xf32>
          scf.yield %a : f32
        } else {
          %z = arith.constant 0.0 : f32
          scf.yield %z : f32
        }
        memref.store %x, %P[%v] : memref<10xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %pad = transform.nest.get_block "pad" in %root : !transform.any_op
    %i = transform.nest.get_loops %pad : 1
    // expected-error @+1 {{the buffer of type memref<10xf32> lives inside loop 0 of block 'pad'}}
    %f = transform.nest.decompose_padding %pad at %i
    transform.yield
  }
}
