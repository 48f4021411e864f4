//===- Merge.td - merge ------------------------------------*- tablegen -*-===//

def MergeOp : NestTransformOp<"merge"> {
  let summary = "Two loops that follow each other into one";
  let description = [{
    The body of `second` follows that of `first` in each iteration. Nests of
    several loops are merged from the outermost on.

    Before => after `merge %i, %j`:
    ```mlir
    nest.for %i = 0 to 64 { S(%i) }
    nest.for %j = 0 to 64 { T(%j) }
    nest.for %i = 0 to 64 { S(%i)  T(%i) }
    ```
    Refuses loops that are not serial, that do not follow each other directly,
    or whose bounds differ, and an iteration of `second` that needs a later one
    of `first`, or is needed by it.
  }];
  let arguments = (ins LoopHandle:$first, LoopHandle:$second);
  let results = (outs LoopHandle:$merged);
  let assemblyFormat = "$first `,` $second attr-dict";
}
