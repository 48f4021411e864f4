//===- Reverse.td - reverse --------------------------------*- tablegen -*-===//

def ReverseOp : PrimitiveOp<"reverse", [AroundNests]> {
  let summary = "Runs a loop from its end to its start";
  let arguments = (ins LoopHandle:$loop);
  let assemblyFormat = "$loop attr-dict";
}
