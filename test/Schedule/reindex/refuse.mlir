// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %w = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<9xf32>
        %b = memref.load %A[%w] : memref<9xf32>
        %s = arith.addf %a, %b : f32
        memref.store %s, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{"read" or "write"}}
    %t = transform.nest.reindex %b "up" 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %w = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<9xf32>
        %b = memref.load %A[%w] : memref<9xf32>
        %s = arith.addf %a, %b : f32
        memref.store %s, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{there is no scope "moon"}}
    %t = transform.nest.reindex_cache_read %b read 0 in "moon" to affine_map<(i) -> (i)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this block}}
      nest.block "B" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %w = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<9xf32>
        %b = memref.load %A[%w] : memref<9xf32>
        %s = arith.addf %a, %b : f32
        memref.store %s, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the map takes 2 iterators and 0 symbols, block 'B' has 1 iterators}}
    %t = transform.nest.reindex_cache_read %b read 0 in "shared" to affine_map<(i, j) -> (i)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<9xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %w = arith.addi %v, %one : index
        // expected-note @+1 {{here}}
        %a = memref.load %A[%v] : memref<9xf32>
        // expected-note @+1 {{and here at other indices}}
        %b = memref.load %A[%w] : memref<9xf32>
        %s = arith.addf %a, %b : f32
        memref.store %s, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' accesses argument 0 in more than one way}}
    %t = transform.nest.reindex %b "read" 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%I: memref<8xindex>, %A: memref<9xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "B" (%v : spatial = %i to 8) {
        %w = memref.load %I[%v] : memref<8xindex>
        // expected-note @+1 {{no iterators stand for this place}}
        %a = memref.load %A[%w] : memref<9xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' accesses argument 1 at an index that is not affine}}
    %t = transform.nest.reindex %b "read" 1
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<4x21xf32>, %W: memref<3xf32>, %C: memref<4x10xf32>) {
    nest.for %n = 0 to 4 {
      nest.for %h = 0 to 10 {
        nest.for %r = 0 to 3 {
          // expected-note @+1 {{the result has one place for all its steps}}
          nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 10, %vr : reduce = %r to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vn, %vh] : memref<4x10xf32>
          } {
            %two = arith.constant 2 : index
            %h2 = arith.muli %vh, %two : index
            %x = arith.addi %h2, %vr : index
            %a = memref.load %A[%vn, %x] : memref<4x21xf32>
            %w = memref.load %W[%vr] : memref<3xf32>
            %m = arith.mulf %a, %w : f32
            %c = memref.load %C[%vn, %vh] : memref<4x10xf32>
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vn, %vh] : memref<4x10xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{the map names iterator 2 of block 'C', which is reduce}}
    %t = transform.nest.reindex_cache_write %b write 0 in "shared" to affine_map<(n, h, r) -> (n, h, r)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<4x21xf32>, %W: memref<3xf32>, %C: memref<4x10xf32>) {
    nest.for %n = 0 to 4 {
      nest.for %h = 0 to 10 {
        nest.for %r = 0 to 3 {
          // expected-note @+1 {{name every iterator that the access uses}}
          nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 10, %vr : reduce = %r to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vn, %vh] : memref<4x10xf32>
          } {
            %two = arith.constant 2 : index
            %h2 = arith.muli %vh, %two : index
            %x = arith.addi %h2, %vr : index
            %a = memref.load %A[%vn, %x] : memref<4x21xf32>
            %w = memref.load %W[%vr] : memref<3xf32>
            %m = arith.mulf %a, %w : f32
            %c = memref.load %C[%vn, %vh] : memref<4x10xf32>
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vn, %vh] : memref<4x10xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{the map gives points that differ in iterator 1 of block 'C' one place}}
    %t = transform.nest.reindex_cache_read %b read 0 in "shared" to affine_map<(n, h, r) -> (n, h + r)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @conv(%A: memref<4x21xf32>, %W: memref<3xf32>, %C: memref<4x10xf32>) {
    nest.for %n = 0 to 4 {
      nest.for %h = 0 to 10 {
        nest.for %r = 0 to 3 {
          // expected-note @+1 {{build it of sums, multiples, floordiv and mod}}
          nest.block "C" (%vn : spatial = %n to 4, %vh : spatial = %h to 10, %vr : reduce = %r to 3) init {
            %z = arith.constant 0.0 : f32
            memref.store %z, %C[%vn, %vh] : memref<4x10xf32>
          } {
            %two = arith.constant 2 : index
            %h2 = arith.muli %vh, %two : index
            %x = arith.addi %h2, %vr : index
            %a = memref.load %A[%vn, %x] : memref<4x21xf32>
            %w = memref.load %W[%vr] : memref<3xf32>
            %m = arith.mulf %a, %w : f32
            %c = memref.load %C[%vn, %vh] : memref<4x10xf32>
            %s = arith.addf %c, %m : f32
            memref.store %s, %C[%vn, %vh] : memref<4x10xf32>
          }
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "C" in %root : !transform.any_op
    // expected-error @+1 {{index 1 of the copy may be negative}}
    %t = transform.nest.reindex_cache_read %b read 0 in "shared" to affine_map<(n, h, r) -> (n, h - r, r)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<65536xf32>, %B: memref<65536x65536xf32>) {
    nest.for %i = 0 to 65536 {
      nest.for %j = 0 to 65536 {
        // expected-note @+1 {{name only iterators that the access uses}}
        nest.block "B" (%v : spatial = %i to 65536, %w : spatial = %j to 65536) {
          %a = memref.load %A[%w] : memref<65536xf32>
          memref.store %a, %B[%v, %w] : memref<65536x65536xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{the copy of argument 0 would have more than 2^31 elements}}
    %t = transform.nest.reindex_cache_read %b read 0 in "shared" to affine_map<(i, j) -> (i, j)>
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8x8xf32>, %B: memref<8x8xf32>) {
    nest.for %i = 0 to 8 {
      nest.for %j = 0 to %i + 1 {
        // expected-note @+1 {{the copy would overwrite what lies in between}}
        nest.block "B" (%v : spatial = %i to 8, %w : spatial = %j to 8) {
          %a = memref.load %A[%v, %w] : memref<8x8xf32>
          memref.store %a, %B[%v, %w] : memref<8x8xf32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "B" in %root : !transform.any_op
    // expected-error @+1 {{block 'B' may not write every point of its domain}}
    %t = transform.nest.reindex %b "write" 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
    nest.for %t = 0 to 4 {
      // expected-note @+1 {{reindex before buffers move}}
      %C = nest.alloc : memref<8xf32>
      nest.for %i = 0 to 8 {
        nest.block "in" (%vt : spatial = %t to 4, %v : spatial = %i to 8) {
          %c = memref.load %A[%vt, %v] : memref<4x8xf32>
          memref.store %c, %C[%v] : memref<8xf32>
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
    %b = transform.nest.get_block "in" in %root : !transform.any_op
    // expected-error @+1 {{lives inside a loop}}
    %t = transform.nest.reindex %b "write" 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4x8xf32>, %B: memref<4x8xf32>) {
    nest.for %t = 0 to 4 parallel {
      // expected-note @+1 {{reindex before giving loops a kind}}
      %C = nest.alloc : memref<8xf32>
      nest.for %i = 0 to 8 {
        nest.block "in" (%vt : spatial = %t to 4, %v : spatial = %i to 8) {
          %c = memref.load %A[%vt, %v] : memref<4x8xf32>
          memref.store %c, %C[%v] : memref<8xf32>
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
    %b = transform.nest.get_block "out" in %root : !transform.any_op
    // expected-error @+1 {{lives inside a loop that does not run in order}}
    %t = transform.nest.reindex %b "read" 0
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %B: memref<8xf32>) {
    nest.for %i = 0 to 8 {
      nest.block "S" (%v : ordered = %i to 8) {
        %z = arith.constant 0.0 : f32
        // expected-note @+1 {{written here}}
        memref.store %z, %A[%v] : memref<8xf32>
        // expected-note @+1 {{read here}}
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %B[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %b = transform.nest.get_block "S" in %root : !transform.any_op
    // expected-error @+1 {{argument 0 of block 'S' is written between any place for a copy and this read}}
    %t = transform.nest.reindex %b "read" 0
    transform.yield
  }
}
