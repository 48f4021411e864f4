// RUN: nestor-opt %s --split-input-file --verify-diagnostics --nestor-plan-memory

func.func @returned(%x: memref<4xf32>) -> memref<4xf32> {
  // expected-error @+1 {{is returned; results are host.output}}
  %a = host.alloc : memref<4xf32>
  host.copy %x to %a : memref<4xf32> to memref<4xf32>
  return %a : memref<4xf32>
}
