//===- Shift.td - shift ------------------------------------*- tablegen -*-===//

def ShiftOp : PrimitiveOp<"shift", [AroundNests]> {
  let summary = "Runs a block some iterations of a loop later";
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop, I64Attr:$by);
  let assemblyFormat = "$block `by` $by `in` $loop attr-dict";
}
