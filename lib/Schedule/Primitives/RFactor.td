//===- RFactor.td - rfactor --------------------------------*- tablegen -*-===//

def RFactorOp : PrimitiveOp<"rfactor"> {
  let summary = "Reduces in parts, then the parts";
  let arguments = (ins LoopHandle:$loop, I64Attr:$axis);
  let results = (outs BlockHandle:$partial);
  let assemblyFormat = "$loop `axis` $axis attr-dict";
}
