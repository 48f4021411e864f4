//===- Wavefront.td - wavefront ----------------------------*- tablegen -*-===//

def WavefrontOp : NestTransformOp<"wavefront"> {
  let summary = "Runs the diagonals of two loops in turn, each in parallel";
  let description = [{
    Before => after `wavefront %i, %j grain [4]`:
    ```mlir
    nest.for %i = 0 to 8 { nest.for %j = 0 to 8 { S(%i, %j) } }
    nest.for %j = 0 to 15 {
      nest.for %i = max(0, %j - 7) to min(8, %j + 1) parallel annotate {grain = 4} {
        S(%i, %j - %i) } }
    ```
    `skew`, `reorder` and `parallel` in one step; afterwards the handle of the
    inner loop holds the outer one, which counts the diagonals. Refuses when
    iterations of one diagonal depend on each other.
  }];
  let arguments = (ins LoopHandle:$outer, LoopHandle:$inner, I64Attr:$grain);
  let assemblyFormat = "$outer `,` $inner `grain` $grain attr-dict";
}
