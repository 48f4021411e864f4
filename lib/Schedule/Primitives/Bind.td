//===- Bind.td - bind --------------------------------------*- tablegen -*-===//

def BindOp : PrimitiveOp<"bind", [InsideNests]> {
  let summary = "Iterations of a loop are positions on an axis of a GPU";
  let arguments = (ins LoopHandle:$loop, StrAttr:$axis);
  let assemblyFormat = "$loop `to` $axis attr-dict";
}
