//===- FuseEpilogue.td - fuse_epilogue ---------------------*- tablegen -*-===//

def FuseEpilogueOp : PrimitiveOp<"fuse_epilogue"> {
  let summary = "Applies a pointwise block after the last step of a reduction";
  let arguments = (ins BlockHandle:$epilogue, BlockHandle:$reduction);
  let assemblyFormat = "$epilogue `into` $reduction attr-dict";
}
