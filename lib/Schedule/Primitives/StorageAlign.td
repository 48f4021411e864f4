//===- StorageAlign.td - storage_align ---------------------*- tablegen -*-===//

def StorageAlignOp : PrimitiveOp<"storage_align"> {
  let summary = "Pads the stride of a dim of a buffer";
  let description = [{
    The stride of dim `axis` of the buffer that the block writes becomes a
    number that is `offset` modulo `factor`, so that rows do not meet in the
    same cache sets, or start at whole vectors.
    Refuses arguments of the kernel, the innermost dim, and factors that are not
    positive.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, I64Attr:$axis, I64Attr:$factor,
                       I64Attr:$offset);
  let assemblyFormat = "$block `write` $buffer `axis` $axis `factor` $factor `offset` $offset attr-dict";
}
