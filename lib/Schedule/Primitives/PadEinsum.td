//===- PadEinsum.td - pad_einsum ---------------------------*- tablegen -*-===//

def PadEinsumOp : PrimitiveOp<"pad_einsum"> {
  let summary = "Pads the iterators of a product to multiples";
  let description = [{
    Copies of the operands, padded with what the reduction ignores, come before
    the block; the part of the result that is wanted is copied after it.

    Before => after `pad_einsum %c to [16, 16, 4]`:
    ```mlir
    C[7, 30] += A[7, 10] * B[10, 30]
    A1[16, 12] = A, then 0;  B1[12, 32] = B, then 0;  C1[16, 32] += A1 * B1;  C = C1[0:7, 0:30]
    ```
    Refuses operands whose indices are not single iterators, updates that have
    no neutral element, and more multiples than iterators.
  }];
  let arguments = (ins BlockHandle:$block, Variadic<IntParam>:$dynamic_multiples,
                       DenseI64ArrayAttr:$multiples);
  let assemblyFormat = "$block `to` custom<DynamicIndexList>($dynamic_multiples, $multiples) attr-dict";
}
