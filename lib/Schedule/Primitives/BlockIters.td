//===- BlockIters.td - reorder_block_iters -----------------*- tablegen -*-===//

def ReorderBlockItersOp : PrimitiveOp<"reorder_block_iters", [InsideNests]> {
  let summary = "Writes the iterators of a block in another order";
  let arguments = (ins BlockHandle:$block, DenseI64ArrayAttr:$order);
  let assemblyFormat = "$block `to` $order attr-dict";
}
