//===- Decompose.td - decompose_reduction ------------------*- tablegen -*-===//

def DecomposeReductionOp : PrimitiveOp<"decompose_reduction", [InsideNests]> {
  let summary = "Gives the init of a reduction its own block";
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let results = (outs BlockHandle:$init);
  let assemblyFormat = "$block `at` $loop attr-dict";
}
