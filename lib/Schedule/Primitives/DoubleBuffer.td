//===- DoubleBuffer.td - double_buffer ---------------------*- tablegen -*-===//

def DoubleBufferOp : PrimitiveOp<"double_buffer", [AroundNests]> {
  let summary = "Two versions of a buffer, used in turn";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer);
  let assemblyFormat = "$block `write` $buffer attr-dict";
}
