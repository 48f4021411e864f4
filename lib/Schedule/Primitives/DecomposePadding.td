//===- DecomposePadding.td - decompose_padding -------------*- tablegen -*-===//

def DecomposePaddingOp : PrimitiveOp<"decompose_padding"> {
  let summary = "A padding block into a fill and a copy";
  let description = [{
    Before => after `decompose_padding %p at %i`:
    ```mlir
    P[%i] = (1 <= %i < 9) ? A[%i - 1] : 0
    P[%i] = 0 for all;   P[%i + 1] = A[%i] for %i in 0..8
    ```
    The fill stands before `loop`; returns its block. Refuses blocks that do not
    choose between a value and a constant by an affine condition.
  }];
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let results = (outs BlockHandle:$fill);
  let assemblyFormat = "$block `at` $loop attr-dict";
}
