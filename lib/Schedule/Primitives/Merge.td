//===- Merge.td - merge ------------------------------------*- tablegen -*-===//

def MergeOp : PrimitiveOp<"merge", [InsideNests]> {
  let summary = "Two loops that follow each other into one";
  let arguments = (ins LoopHandle:$first, LoopHandle:$second);
  let results = (outs LoopHandle:$merged);
  let assemblyFormat = "$first `,` $second attr-dict";
}
