// RUN: nestor-opt %s --split-input-file --transform-interpreter --verify-diagnostics

// It reads what the next iteration writes.
module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      // expected-note @+1 {{this access comes first now}}
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      // expected-note @+1 {{shift the loops against each other}}
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 2 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    // expected-error @+1 {{block 'C' needs more of the buffer of type memref<10xf32> than earlier iterations of loop 0 of block 'P' leave}}
    %l = transform.nest.merge %i, %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    // expected-note @+1 {{loop_partition or split_domain can make them equal}}
    nest.for %j = 0 to 7 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 1 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    // expected-error @+1 {{loop 0 of block 'P' and loop 0 of block 'C' run over different ranges}}
    %l = transform.nest.merge %i, %j
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    // expected-note @+1 {{merge from the outermost loops on}}
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 1 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    // expected-error @+1 {{loop 0 of block 'P' does not follow directly after loop 0 of block 'C'}}
    %l = transform.nest.merge %j, %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    // expected-note @+1 {{merge takes two loops}}
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 1 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    // expected-error @+1 {{loop 0 of block 'P' is named twice}}
    %l = transform.nest.merge %i, %i
    transform.yield
  }
}

// -----

module attributes {transform.with_named_sequence} {
  nest.func @f(%A: memref<8xf32>, %C: memref<8xf32>) {
    %T = nest.alloc : memref<10xf32>
    // expected-note @+1 {{merge loops before giving them a kind}}
    nest.for %i = 0 to 8 {
      nest.block "P" (%v : spatial = %i to 8) {
        %one = arith.constant 1 : index
        %next = arith.addi %v, %one : index
        %a = memref.load %A[%v] : memref<8xf32>
        memref.store %a, %T[%next] : memref<10xf32>
      }
    }
    nest.for %j = 0 to 8 {
      nest.block "C" (%v : spatial = %j to 8) {
        %off = arith.constant 1 : index
        %at = arith.addi %v, %off : index
        %t = memref.load %T[%at] : memref<10xf32>
        memref.store %t, %C[%v] : memref<8xf32>
      }
    }
  }

  transform.named_sequence @__transform_main(%root: !transform.any_op {transform.readonly}) {
    %p = transform.nest.get_block "P" in %root : !transform.any_op
    %c = transform.nest.get_block "C" in %root : !transform.any_op
    %i = transform.nest.get_loops %p : 1
    %j = transform.nest.get_loops %c : 1
    transform.nest.parallel %i grain [1]
    // expected-error @+1 {{loop 0 of block 'P' is parallel}}
    %l = transform.nest.merge %i, %j
    transform.yield
  }
}
