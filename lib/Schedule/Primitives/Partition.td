//===- Partition.td - separate_full_partial ----------------*- tablegen -*-===//

def SeparateFullPartialOp : NestTransformOp<"separate_full_partial"> {
  let summary = "Takes the iterations that a predicate touches out of a loop";
  let description = [{
    Before => after `separate_full_partial %i`:
    ```mlir
    nest.for %i = 0 to symbol(%n) ceildiv 4 { … where (symbol(%n) - 1 - %i * 4 - %ii >= 0) }
    nest.for %i = 0 to symbol(%n) floordiv 4 { … }
    nest.for %i = symbol(%n) floordiv 4 to symbol(%n) ceildiv 4 { … where (…) }
    ```
    The blocks of the second loop get the suffix `_tail`. Refuses loops below
    which no predicate depends on them in that way.
  }];
  let arguments = (ins LoopHandle:$loop);
  let results = (outs LoopHandle:$full, LoopHandle:$partial);
  let assemblyFormat = "$loop attr-dict";
}
