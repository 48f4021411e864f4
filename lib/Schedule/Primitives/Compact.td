//===- Compact.td - compact_buffers ------------------------*- tablegen -*-===//

def CompactBuffersOp : PrimitiveOp<"compact_buffers", [InsideNests]> {
  let summary = "Shrinks buffers to what one iteration touches";
  let arguments = (ins TransformHandleTypeInterface:$func);
  let assemblyFormat = "$func attr-dict `:` type($func)";
}
