//===- Reorder.td - reorder --------------------------------*- tablegen -*-===//

def ReorderOp : PrimitiveOp<"reorder", [InsideNests]> {
  let summary = "Permutes loops of one nest";
  let arguments = (ins Variadic<LoopHandle>:$loops);
  let assemblyFormat = "$loops attr-dict";
}
