//===- Pipeline.td - pipeline ------------------------------*- tablegen -*-===//

def PipelineOp : PrimitiveOp<"pipeline"> {
  let summary = "Overlaps the iterations of a loop";
  let description = [{
    The things in the body of `loop`, in order, get stages; what has stage `s`
    runs `s` iterations later, and `order` says in which order they stand in the
    new body. Buffers that pass values between stages get a version for each
    iteration on the way.

    Before => after `pipeline %i stages [0, 1] order [1, 0]`:
    ```mlir
    for i in 0..8 { P: T = A[i];  C: B[i] = f(T) }
    P(0);  for i in 0..7 { C(i);  P(i + 1) };  C(7)
    ```
    Refuses lists that do not fit the body, and dependences that would be
    reversed.
  }];
  let arguments = (ins LoopHandle:$loop, DenseI64ArrayAttr:$stages, DenseI64ArrayAttr:$order);
  let assemblyFormat = "$loop `stages` $stages `order` $order attr-dict";
}
