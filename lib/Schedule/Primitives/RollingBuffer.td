//===- RollingBuffer.td - rolling_buffer -------------------*- tablegen -*-===//

def RollingBufferOp : PrimitiveOp<"rolling_buffer"> {
  let summary = "Keeps only the rows of a buffer that are still read";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer);
  let assemblyFormat = "$block `write` $buffer attr-dict";
}
