//===- PadEinsum.td - pad_einsum ---------------------------*- tablegen -*-===//

def PadEinsumOp : PrimitiveOp<"pad_einsum"> {
  let summary = "Pads the iterators of a product to multiples";
  let arguments = (ins BlockHandle:$block, Variadic<IntParam>:$dynamic_multiples,
                       DenseI64ArrayAttr:$multiples);
  let assemblyFormat = "$block `to` custom<DynamicIndexList>($dynamic_multiples, $multiples) attr-dict";
}
