//===- StorageAlign.td - storage_align ---------------------*- tablegen -*-===//

def StorageAlignOp : PrimitiveOp<"storage_align", [InsideNests]> {
  let summary = "Pads the stride of a dim of a buffer";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, I64Attr:$axis, I64Attr:$factor,
                       I64Attr:$offset);
  let assemblyFormat = "$block `write` $buffer `axis` $axis `factor` $factor `offset` $offset attr-dict";
}
