//===- Partition.td - separate_full_partial ----------------*- tablegen -*-===//

def SeparateFullPartialOp : PrimitiveOp<"separate_full_partial", [AroundNests]> {
  let summary = "Takes the iterations that a predicate touches out of a loop";
  let arguments = (ins LoopHandle:$loop);
  let results = (outs LoopHandle:$full, LoopHandle:$partial);
  let assemblyFormat = "$loop attr-dict";
}
