//===- Inline.td - compute_inline, reverse_compute_inline --*- tablegen -*-===//

def ComputeInlineOp : PrimitiveOp<"compute_inline"> {
  let summary = "Substitutes a block into its consumers";
  let arguments = (ins BlockHandle:$block);
  let assemblyFormat = "$block attr-dict";
}

def ReverseComputeInlineOp : PrimitiveOp<"reverse_compute_inline"> {
  let summary = "Substitutes a block into its producer";
  let arguments = (ins BlockHandle:$block);
  let assemblyFormat = "$block attr-dict";
}
