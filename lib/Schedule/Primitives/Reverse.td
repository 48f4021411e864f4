//===- Reverse.td - reverse --------------------------------*- tablegen -*-===//

def ReverseOp : NestTransformOp<"reverse"> {
  let summary = "Runs a loop from its end to its start";
  let description = [{
    Before => after `reverse %i`:
    ```mlir
    nest.for %i = 2 to 8 { S(%i) }
    nest.for %i = 2 to 8 { S(9 - %i) }
    ```
    Refuses when an iteration needs what an earlier one computes, when the init
    of a reduction would not come first, and bounds that are lists.
  }];
  let arguments = (ins LoopHandle:$loop);
  let assemblyFormat = "$loop attr-dict";
}
