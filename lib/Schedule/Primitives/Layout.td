//===- Layout.td - transform_layout ------------------------*- tablegen -*-===//

def TransformLayoutOp : PrimitiveOp<"transform_layout"> {
  let summary = "Stores a buffer in another order";
  let arguments = (ins BlockHandle:$block, StrAttr:$role, I64Attr:$buffer,
                       AffineMapAttr:$map);
  let assemblyFormat = "$block $role $buffer `to` $map attr-dict";
}
