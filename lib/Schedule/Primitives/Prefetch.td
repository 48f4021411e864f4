//===- Prefetch.td - prefetch ------------------------------*- tablegen -*-===//

def PrefetchOp : PrimitiveOp<"prefetch"> {
  let summary = "Asks for what a later iteration reads";
  let description = [{
    Each iteration of `loop` asks the cache for the lines of the block's
    `buffer`-th input that the iteration `distance` later reads; nothing of the
    meaning changes.
    Refuses buffers that are not read, loops that are not around the block, and
    distances that are not positive.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, LoopHandle:$loop,
                       Variadic<IntParam>:$dynamic_distance, DenseI64ArrayAttr:$distance);
  let assemblyFormat = [{
    $block `read` $buffer `in` $loop `distance`
    custom<DynamicIndexList>($dynamic_distance, $distance) attr-dict
  }];
}
