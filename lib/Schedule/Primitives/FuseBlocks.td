//===- FuseBlocks.td - fuse_blocks -------------------------*- tablegen -*-===//

def FuseBlocksOp : PrimitiveOp<"fuse_blocks", [AroundNests]> {
  let summary = "Two nests share their loops, the second shifted";
  let arguments = (ins BlockHandle:$first, BlockHandle:$second, DenseI64ArrayAttr:$shift);
  let assemblyFormat = "$first `,` $second `shift` $shift attr-dict";
}
