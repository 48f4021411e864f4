//===- Unannotate.td - unannotate --------------------------*- tablegen -*-===//

def UnannotateOp : NestTransformOp<"unannotate"> {
  let summary = "Removes an annotation of a loop or a block";
  let description = [{
    Refuses a key that is not there, and the axis of a bound loop.
  }];
  let arguments = (ins TransformHandleTypeInterface:$target, StrAttr:$key);
  let assemblyFormat = "$target `:` type($target) $key attr-dict";
}
