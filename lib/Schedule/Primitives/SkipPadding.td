//===- SkipPadding.td - skip_padding -----------------------*- tablegen -*-===//

def SkipPaddingOp : PrimitiveOp<"skip_padding"> {
  let summary = "A reduction without the steps that add nothing";
  let arguments = (ins BlockHandle:$block);
  let assemblyFormat = "$block attr-dict";
}
