//===- Prefetch.td - prefetch ------------------------------*- tablegen -*-===//

def PrefetchOp : PrimitiveOp<"prefetch"> {
  let summary = "Asks for what a later iteration reads";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, LoopHandle:$loop,
                       Variadic<IntParam>:$dynamic_distance, DenseI64ArrayAttr:$distance);
  let assemblyFormat = [{
    $block `read` $buffer `in` $loop `distance`
    custom<DynamicIndexList>($dynamic_distance, $distance) attr-dict
  }];
}
