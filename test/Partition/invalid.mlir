// RUN: nestor-opt %s --split-input-file --verify-diagnostics --nestor-partition

func.func @unknown(%x: tensor<4x4xf32>) -> tensor<2x4xf32> {
  // expected-error @+1 {{has no meaning at the tensor level}}
  %r = tensor.extract_slice %x[0, 0] [2, 4] [1, 1] : tensor<4x4xf32> to tensor<2x4xf32>
  return %r : tensor<2x4xf32>
}

// -----

func.func @dim(%x: tensor<?x?xf32>, %i: index) -> index {
  // expected-error @+1 {{of a dim that is not constant}}
  %r = tensor.dim %x, %i : tensor<?x?xf32>
  return %r : index
}

// -----

// expected-error @+1 {{has control flow that is not structured}}
func.func @jump(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<4xf32>
}
