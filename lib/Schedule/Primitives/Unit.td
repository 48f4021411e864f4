//===- Unit.td - add_unit_loop -----------------------------*- tablegen -*-===//

def AddUnitLoopOp : NestTransformOp<"add_unit_loop"> {
  let summary = "Wraps a block or a loop into a loop of extent 1";
  let description = [{
    Gives a place to `compute_at`, or a loop to a block that has none.
    Refuses what is neither block nor loop.
  }];
  let arguments = (ins TransformHandleTypeInterface:$inner);
  let results = (outs LoopHandle:$loop);
  let assemblyFormat = "$inner attr-dict `:` type($inner)";
}
