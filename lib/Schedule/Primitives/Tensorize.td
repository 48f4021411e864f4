//===- Tensorize.td - tensorize ----------------------------*- tablegen -*-===//

def TensorizeOp : PrimitiveOp<"tensorize", [InsideNests]> {
  let summary = "A block becomes one tensor instruction";
  let arguments = (ins BlockHandle:$block, StrAttr:$intrinsic);
  let assemblyFormat = "$block `with` $intrinsic attr-dict";
}
