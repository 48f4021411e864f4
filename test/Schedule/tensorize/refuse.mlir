// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{near to it are 'x86.vpdpbusd}}
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{there is no intrinsic 'x86.vpdpbusb.512'}}
    transform.nest.tensorize %o with "x86.vpdpbusb.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{blockize its inner loops first}}
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    // expected-error @+1 {{block 'C' is no 'x86.vpdpbusd.512': it holds no nest}}
    transform.nest.tensorize %c with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      // expected-note @+1 {{the instruction says how its axes run}}
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    transform.nest.unroll %k
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it has a loop with a kind}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{decompose the reduction, or leave a part of it outside}}
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) init {
            %z = arith.constant 0 : i32
            memref.store %z, %C[%vj] : memref<16xi32>
          } {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it starts its sum inside}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{pad the loops (pad_einsum), or separate full tiles first}}
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) where (-%j + 14 >= 0) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it has a predicate that may cut the instance}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{its update has to be an addition}}
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.maxsi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it is no sum}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.subi %x, %y : i32
          // expected-note @+1 {{move other arithmetic into blocks before it}}
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it does not add a product of what it reads}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %q = arith.muli %x, %y : i32
          %p = arith.muli %q, %x : i32
          %s = arith.addi %c, %p : i32
          // expected-note @+1 {{multiply the others in a block before it}}
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it multiplies 3 factors instead of 2}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          // expected-note @+1 {{the type, or the sign by which it is widened, is another one}}
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extsi %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it has no factor u8 for operand lhs}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<16x4xi8>, %C: memref<16xi64>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x4xi8>
          %c = memref.load %C[%vj] : memref<16xi64>
          %x = arith.extui %a : i8 to i64
          %y = arith.extsi %b : i8 to i64
          %p = arith.muli %x, %y : i64
          %s = arith.addi %c, %p : i64
          // expected-note @+1 {{another intrinsic may have it}}
          memref.store %s, %C[%vj] : memref<16xi64>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it sums up in another type than s32}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<20x4xi8>, %C: memref<20xi32>) {
    nest.for %j = 0 to 20 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{split the loop by that, and pad it (pad_einsum)}}
        nest.block "C" (%vj : spatial = %j to 20, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<20x4xi8>
          %c = memref.load %C[%vj] : memref<20xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<20xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it runs 20 steps along axis n instead of 16}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<3xi8>, %B: memref<16x3xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 3 {
        // expected-note @+1 {{split the loop by that, and pad it (pad_einsum)}}
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 3) {
          %a = memref.load %A[%vk] : memref<3xi8>
          %b = memref.load %B[%vj, %vk] : memref<16x3xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it runs 3 steps along axis k instead of 4}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<4x16xi8>, %C: memref<16xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        nest.block "C" (%vj : spatial = %j to 16, %vk : reduce = %k to 4) {
          %a = memref.load %A[%vk] : memref<4xi8>
          // expected-note @+1 {{give the buffer such a layout (transform_layout, or a copy)}}
          %b = memref.load %B[%vk, %vj] : memref<4x16xi8>
          %c = memref.load %C[%vj] : memref<16xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<16xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it does not find operand rhs in memory as it has to lie}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}

// -----

// A loop that runs beyond its iterator's domain, as a split leaves it.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<4xi8>, %B: memref<12x4xi8>, %C: memref<12xi32>) {
    nest.for %j = 0 to 16 {
      nest.for %k = 0 to 4 {
        // expected-note @+1 {{pad the loops (pad_einsum), or separate full tiles first}}
        nest.block "C" (%vj : spatial = %j to 12, %vk : reduce = %k to 4) where (-%j + 11 >= 0) {
          %a = memref.load %A[%vk] : memref<4xi8>
          %b = memref.load %B[%vj, %vk] : memref<12x4xi8>
          %c = memref.load %C[%vj] : memref<12xi32>
          %x = arith.extui %a : i8 to i32
          %y = arith.extsi %b : i8 to i32
          %p = arith.muli %x, %y : i32
          %s = arith.addi %c, %p : i32
          memref.store %s, %C[%vj] : memref<12xi32>
        }
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %j, %k = transform.nest.get_loops %c : 2
    %o = transform.nest.blockize %j
    // expected-error @+1 {{block 'C_o' is no 'x86.vpdpbusd.512': it has a predicate that may cut the instance}}
    transform.nest.tensorize %o with "x86.vpdpbusd.512"
    transform.yield
  }
}
