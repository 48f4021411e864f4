//===- Skew.td - skew --------------------------------------*- tablegen -*-===//

def SkewOp : NestTransformOp<"skew"> {
  let summary = "Slants the iterations of a loop along one around it";
  let description = [{
    Before => after `skew %j along %i by 1`:
    ```mlir
    nest.for %i = 0 to 4 { nest.for %j = 0 to 8 { S(%i, %j) } }
    nest.for %i = 0 to 4 { nest.for %j = %i to %i + 8 { S(%i, %j - %i) } }
    ```
    The order of iterations stays; what changes is which of them `reorder` and
    `parallel` find side by side. Refuses a loop that is not around the other
    one and a factor of 0.
  }];
  let arguments = (ins LoopHandle:$loop, LoopHandle:$outer, I64Attr:$factor);
  let assemblyFormat = "$loop `along` $outer `by` $factor attr-dict";
}
