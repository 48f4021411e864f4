//===- Skew.td - skew --------------------------------------*- tablegen -*-===//

def SkewOp : PrimitiveOp<"skew", [AroundNests]> {
  let summary = "Slants the iterations of a loop along one around it";
  let arguments = (ins LoopHandle:$loop, LoopHandle:$outer, I64Attr:$factor);
  let assemblyFormat = "$loop `along` $outer `by` $factor attr-dict";
}
