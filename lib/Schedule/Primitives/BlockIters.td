//===- BlockIters.td - reorder_block_iters -----------------*- tablegen -*-===//

def ReorderBlockItersOp : NestTransformOp<"reorder_block_iters"> {
  let summary = "Writes the iterators of a block in another order";
  let description = [{
    The iterator at position `order[i]` moves to position `i`. Nothing runs in
    another order; later primitives that speak of positions do.

    Before => after `reorder_block_iters %b to [1, 0]`:
    ```mlir
    nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) { ... }
    nest.block "B" (%v : spatial = %j to 4, %u : spatial = %i to 8) { ... }
    ```
    Refuses lists that do not name every position once.
  }];
  let arguments = (ins BlockHandle:$block, DenseI64ArrayAttr:$order);
  let assemblyFormat = "$block `to` $order attr-dict";
}
