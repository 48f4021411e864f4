//===- SplitDomain.td - split_domain -----------------------*- tablegen -*-===//

def SplitDomainOp : PrimitiveOp<"split_domain", [AroundNests]> {
  let summary = "Cuts a loop in two where a condition changes";
  let arguments = (ins LoopHandle:$loop, AffineMapAttr:$condition);
  let results = (outs LoopHandle:$first, LoopHandle:$second);
  let assemblyFormat = "$loop `where` $condition attr-dict";
}
