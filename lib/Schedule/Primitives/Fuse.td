//===- Fuse.td - fuse --------------------------------------*- tablegen -*-===//

def FuseOp : PrimitiveOp<"fuse", [InsideNests]> {
  let summary = "Nested loops into one";
  let arguments = (ins Variadic<LoopHandle>:$loops);
  let results = (outs LoopHandle:$fused);
  let assemblyFormat = "$loops attr-dict";
}
