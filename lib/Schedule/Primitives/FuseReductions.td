//===- FuseReductions.td - fuse_reductions -----------------*- tablegen -*-===//

def FuseReductionsOp : PrimitiveOp<"fuse_reductions"> {
  let summary = "Reductions that need each other's results in one pass";
  let arguments = (ins Variadic<BlockHandle>:$blocks, LoopHandle:$loop);
  let results = (outs BlockHandle:$fused);
  let assemblyFormat = "$blocks `at` $loop attr-dict";
}
