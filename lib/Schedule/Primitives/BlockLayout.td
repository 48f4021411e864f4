//===- BlockLayout.td - transform_block_layout -------------*- tablegen -*-===//

def TransformBlockLayoutOp : PrimitiveOp<"transform_block_layout", [InsideNests]> {
  let summary = "Gives a block other iterators, and new loops for them";
  let arguments = (ins BlockHandle:$block, AffineMapAttr:$map);
  let assemblyFormat = "$block `to` $map attr-dict";
}
