//===- Privatize.td - privatize ----------------------------*- tablegen -*-===//

def PrivatizeOp : PrimitiveOp<"privatize", [AroundNests]> {
  let summary = "Gives each iteration of a loop a buffer of its own";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, LoopHandle:$loop);
  let assemblyFormat = "$block `write` $buffer `in` $loop attr-dict";
}
