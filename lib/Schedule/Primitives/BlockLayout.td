//===- BlockLayout.td - transform_block_layout -------------*- tablegen -*-===//

def TransformBlockLayoutOp : PrimitiveOp<"transform_block_layout"> {
  let summary = "Gives a block other iterators, and new loops for them";
  let description = [{
    `map` takes the old iterators to the new ones.

    Before => after `transform_block_layout %b to affine_map<(i, j) -> (i * 4 + j)>`:
    ```mlir
    for i in 0..8 { for j in 0..4 { B(vi = i, vj = j) } }
    for f in 0..32 { B(vf = f) }   // vi is vf floordiv 4, vj is vf mod 4
    ```
    Refuses blocks whose iterators are not bound to one loop each, maps that are
    not one to one, and maps that mix spatial and other iterators.
  }];
  let arguments = (ins BlockHandle:$block, AffineMapAttr:$map);
  let assemblyFormat = "$block `to` $map attr-dict";
}
