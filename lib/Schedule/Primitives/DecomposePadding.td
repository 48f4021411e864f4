//===- DecomposePadding.td - decompose_padding -------------*- tablegen -*-===//

def DecomposePaddingOp : PrimitiveOp<"decompose_padding"> {
  let summary = "A padding block into a fill and a copy";
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let results = (outs BlockHandle:$fill);
  let assemblyFormat = "$block `at` $loop attr-dict";
}
