//===- Unit.td - add_unit_loop -----------------------------*- tablegen -*-===//

def AddUnitLoopOp : PrimitiveOp<"add_unit_loop", [InsideNests]> {
  let summary = "Wraps a block or a loop into a loop of extent 1";
  let arguments = (ins TransformHandleTypeInterface:$inner);
  let results = (outs LoopHandle:$loop);
  let assemblyFormat = "$inner attr-dict `:` type($inner)";
}
