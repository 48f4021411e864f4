// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{0 where this block is not to be shifted}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{fuse_blocks needs a shift for each loop to fuse}}
    transform.nest.fuse_blocks %p, %q shift []
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<8xf32>
      }
      // expected-note @+1 {{fuse_blocks takes blocks of two nests; shift moves blocks of one}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{block 'P' and block 'Q' are in one nest already}}
    transform.nest.fuse_blocks %p, %q shift [0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "R" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{what stands in between has to move first; or name the blocks in their order}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{the nest of block 'Q' does not follow directly after that of block 'P'}}
    transform.nest.fuse_blocks %p, %q shift [0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{give fewer shifts, or move what else is in its loops out first}}
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{the nest of block 'P' has 1 loops directly inside each other, 2 are to be fused}}
    transform.nest.fuse_blocks %p, %q shift [0, 0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    // expected-note @+1 {{fuse blocks before giving loops a kind}}
    nest.for %i = 0 to 8 parallel {
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 8 {
      nest.block "Q" (%u : spatial = %i to 8) {
        %a = memref.load %T[%u] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{loop 0 of block 'P' is parallel}}
    transform.nest.fuse_blocks %p, %q shift [0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<?xf32>, %B: memref<?xf32>, %n: index, %m: index)
      attributes {shapes = [affine_map<()[n, m] -> (n)>, affine_map<()[n, m] -> (m)>]} {
    nest.for %i = 0 to symbol(%n) {
      nest.block "P" (%u : spatial = %i to symbol(%n)) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %A[%u] : memref<?xf32>
      }
    }
    // expected-note @+1 {{facts about sizes can tell which ends later; or cut both with split_domain}}
    nest.for %i = 0 to symbol(%m) {
      nest.block "Q" (%u : spatial = %i to symbol(%m)) {
        %z = arith.constant 0.0 : f32
        memref.store %z, %B[%u] : memref<?xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{no bound of loop 0 of block 'P' or loop 0 of block 'Q' is shown to hold for both}}
    transform.nest.fuse_blocks %p, %q shift [0]
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    %T = nest.alloc : memref<8xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this access comes first now}}
      nest.block "P" (%u : spatial = %i to 8) {
        %a = memref.load %A[%u] : memref<8xf32>
        memref.store %a, %T[%u] : memref<8xf32>
      }
    }
    nest.for %i = 0 to 7 {
      // expected-note @+1 {{and would not after this one; shift it further}}
      nest.block "Q" (%u : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %u, %one : index
        %a = memref.load %T[%next] : memref<8xf32>
        memref.store %a, %B[%u] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %q = transform.nest.get_block "Q" in %root : !transform.any_op
    // expected-error @+1 {{block 'Q' needs the buffer of type memref<8xf32> of block 'P' from iterations that would come later}}
    transform.nest.fuse_blocks %p, %q shift [0]
    transform.yield
  }
}
