//===- Wavefront.td - wavefront ----------------------------*- tablegen -*-===//

def WavefrontOp : PrimitiveOp<"wavefront", [AroundNests]> {
  let summary = "Runs the diagonals of two loops in turn, each in parallel";
  let arguments = (ins LoopHandle:$outer, LoopHandle:$inner, I64Attr:$grain);
  let assemblyFormat = "$outer `,` $inner `grain` $grain attr-dict";
}
