// RUN: nestor-opt --lower-to-loops --split-input-file --verify-diagnostics %s

nest.func @outside(%A: memref<4xf32>) {
  // expected-error @+1 {{cannot be lowered outside of a nest.block}}
  %c1 = arith.constant 1 : index
  nest.for %i = 0 to 4 {
    nest.block "A" (%v : spatial = %i to 4) {
      %z = arith.constant 0.0 : f32
      memref.store %z, %A[%v] : memref<4xf32>
    }
  }
}

// -----

nest.func @region(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.block "A" (%v : spatial = %i to 4) {
      %z = arith.constant 0.0 : f32
      // expected-error @+1 {{cannot be lowered inside a nest.block}}
      scf.execute_region {
        memref.store %z, %A[%v] : memref<4xf32>
        scf.yield
      }
    }
  }
}

// -----

nest.func @buffer(%A: memref<4xf32>) {
  nest.for %i = 0 to 4 {
    nest.block "A" (%v : spatial = %i to 4) {
      %z = arith.constant 0.0 : f32
      %m = memref.alloca() : memref<4xf32>
      // expected-error @+1 {{stores into a buffer that is no argument and no nest.alloc in scope}}
      memref.store %z, %m[%v] : memref<4xf32>
    }
  }
}

// -----

// expected-error @+1 {{a host function is one block}}
func.func @main(%x: memref<4xf32> {model.name = "x", model.dims = [4]}) {
  cf.br ^bb1
^bb1:
  return
}

// -----

func.func @main(%x: memref<4xf32> {model.name = "x", model.dims = [4]}) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c1 = arith.constant 1 : index
  // expected-error @+1 {{cannot be lowered in the host program}}
  scf.parallel (%i) = (%c0) to (%c4) step (%c1) {
  }
  return
}
