//===- Unannotate.td - unannotate --------------------------*- tablegen -*-===//

def UnannotateOp : PrimitiveOp<"unannotate", [InsideNests]> {
  let summary = "Removes an annotation of a loop or a block";
  let arguments = (ins TransformHandleTypeInterface:$target, StrAttr:$key);
  let assemblyFormat = "$target `:` type($target) $key attr-dict";
}
