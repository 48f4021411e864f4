//===- Pipeline.td - pipeline ------------------------------*- tablegen -*-===//

def PipelineOp : PrimitiveOp<"pipeline", [AroundNests]> {
  let summary = "Overlaps the iterations of a loop";
  let arguments = (ins LoopHandle:$loop, DenseI64ArrayAttr:$stages, DenseI64ArrayAttr:$order);
  let assemblyFormat = "$loop `stages` $stages `order` $order attr-dict";
}
