//===- Blockize.td - blockize ------------------------------*- tablegen -*-===//

def BlockizeOp : PrimitiveOp<"blockize", [InsideNests]> {
  let summary = "A loop and what is inside it become one block";
  let arguments = (ins LoopHandle:$loop);
  let results = (outs BlockHandle:$outer);
  let assemblyFormat = "$loop attr-dict";
}
