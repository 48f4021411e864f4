// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<12xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{the first step may be one that is skipped; decompose_reduction gives the init a block of its own}}
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 0.0 : f32
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %inside = arith.cmpi slt, %at, %eight : index
          %a = memref.load %A[%at] : memref<12xf32>
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    // expected-error @+1 {{block 'S' has an init}}
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<12xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{its steps cannot be skipped}}
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 0.0 : f32
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %inside = arith.cmpi slt, %at, %eight : index
          %a = memref.load %A[%at] : memref<12xf32>
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.subf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    // expected-error @+1 {{block 'S' does not add to one element by an operation with a neutral element}}
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<12xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{its steps cannot be skipped}}
        nest.block "S" (%v : spatial = %i to 8, %w : ordered = %r to 3) {
          %z = arith.constant 0.0 : f32
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %inside = arith.cmpi slt, %at, %eight : index
          %a = memref.load %A[%at] : memref<12xf32>
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    // expected-error @+1 {{block 'S' does not add to one element by an operation with a neutral element}}
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<12xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{no scf.if or arith.select has the neutral constant outside; inline the padding before}}
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 0.0 : f32
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %inside = arith.cmpi slt, %at, %eight : index
          %a = memref.load %A[%at] : memref<12xf32>
          %x = arith.addf %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    // expected-error @+1 {{what block 'S' adds is never chosen to be neutral}}
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<12xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        // expected-note @+1 {{no scf.if or arith.select has the neutral constant outside; inline the padding before}}
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 1.0 : f32
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %inside = arith.cmpi slt, %at, %eight : index
          %a = memref.load %A[%at] : memref<12xf32>
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    // expected-error @+1 {{what block 'S' adds is never chosen to be neutral}}
    transform.nest.skip_padding %s
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<12xf32>, %S: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %r = 0 to 3 {
        nest.block "S" (%v : spatial = %i to 8, %w : reduce = %r to 3) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %S[%v] : memref<8xf32>
        } {
          %z = arith.constant 0.0 : f32
          %eight = arith.constant 8 : index
          %at = arith.addi %v, %w : index
          %inside = arith.cmpi ne, %at, %eight : index
          %a = memref.load %A[%at] : memref<12xf32>
          // expected-note @+1 {{it cannot be told which steps add nothing}}
          %x = arith.select %inside, %a, %z : f32
          %s = memref.load %S[%v] : memref<8xf32>
          %t = arith.addf %s, %x : f32
          memref.store %t, %S[%v] : memref<8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %s = transform.nest.get_block "S" in %root : !transform.any_op
    %i, %r = transform.nest.get_loops %s : 2
    %init = transform.nest.decompose_reduction %s at %r
    // expected-error @+1 {{the condition of block 'S' is no affine statement about its iterators}}
    transform.nest.skip_padding %s
    transform.yield
  }
}
