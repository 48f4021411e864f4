//===- SplitK.td - split_k ---------------------------------*- tablegen -*-===//

def SplitKOp : PrimitiveOp<"split_k"> {
  let summary = "Cuts a reduction into parts that can run side by side";
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_parts,
                       DenseI64ArrayAttr:$parts, I64Attr:$axis);
  let results = (outs BlockHandle:$partial);
  let assemblyFormat = "$loop `into` custom<DynamicIndexList>($dynamic_parts, $parts) `axis` $axis attr-dict";
}
