//===- FuseBlocks.td - fuse_blocks -------------------------*- tablegen -*-===//

def FuseBlocksOp : PrimitiveOp<"fuse_blocks"> {
  let summary = "Two nests share their loops, the second shifted";
  let description = [{
    The outermost loops of both, as many as `shift` has numbers, become one; the
    second block runs `shift[l]` iterations later in loop `l`.

    Before => after `fuse_blocks %p, %c shift [1]`:
    ```mlir
    for i in 0..8 { P(i) }   for i in 0..8 { C(i) }
    for i in 0..9 { P(i) where i < 8;  C(i - 1) where i >= 1 }
    ```
    Refuses blocks whose nests are not neighbours, or hold other blocks, and
    dependences that would be reversed.
  }];
  let arguments = (ins BlockHandle:$first, BlockHandle:$second, DenseI64ArrayAttr:$shift);
  let assemblyFormat = "$first `,` $second `shift` $shift attr-dict";
}
