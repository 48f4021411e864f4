//===- Shift.td - shift ------------------------------------*- tablegen -*-===//

def ShiftOp : NestTransformOp<"shift"> {
  let summary = "Runs a block some iterations of a loop later";
  let description = [{
    Before => after `shift %Q by 1 in %i`:
    ```mlir
    nest.for %i = 0 to 8 { P(%i) Q(%i) }
    nest.for %i = 0 to 9 { P(%i) where (7 - %i >= 0)
                           Q(%i - 1) where (%i - 1 >= 0) }
    ```
    A negative number runs it earlier. Refuses when a dependence would be
    reversed, and a block that shares its loops below `%i` with others.
  }];
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop, I64Attr:$by);
  let assemblyFormat = "$block `by` $by `in` $loop attr-dict";
}
