//===- SplitK.td - split_k ---------------------------------*- tablegen -*-===//

def SplitKOp : PrimitiveOp<"split_k"> {
  let summary = "Cuts a reduction into parts that can run side by side";
  let description = [{
    `split` of the reduction loop into `parts`, moved outwards, and `rfactor` of
    the outer one: a partial result for each part at dim `axis` of a new buffer,
    then their sum.

    Before => after `split_k %k into [4] axis 0`:
    ```mlir
    for i { for k in 0..64 { C[i] += A[i, k] } }
    for i { for p in 0..4 { for q in 0..16 { R[p, i] += A[i, p * 16 + q] } } }
    for i { for p in 0..4 { C[i] += R[p, i] } }
    ```
    Refuses what `split` and `rfactor` refuse.
  }];
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_parts,
                       DenseI64ArrayAttr:$parts, I64Attr:$axis);
  let results = (outs BlockHandle:$partial);
  let assemblyFormat = "$loop `into` custom<DynamicIndexList>($dynamic_parts, $parts) `axis` $axis attr-dict";
}
