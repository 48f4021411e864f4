//===- FuseEpilogue.td - fuse_epilogue ---------------------*- tablegen -*-===//

def FuseEpilogueOp : PrimitiveOp<"fuse_epilogue"> {
  let summary = "Applies a pointwise block after the last step of a reduction";
  let description = [{
    Before => after `fuse_epilogue %relu into %c`:
    ```mlir
    C[%i] += A[%i, %k];                      D[%i] = max(C[%i], 0)
    C[%i] += A[%i, %k];  if (%k == K - 1) { D[%i] = max(C[%i], 0) }
    ```
    Never inside the update (a relu of partial sums is another program).
    Refuses an epilogue that reads the reduction at another element, other
    readers of it, writers of what it reads in between, and reductions whose
    last step is not the last to run.
  }];
  let arguments = (ins BlockHandle:$epilogue, BlockHandle:$reduction);
  let assemblyFormat = "$epilogue `into` $reduction attr-dict";
}
