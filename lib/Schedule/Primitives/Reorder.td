//===- Reorder.td - reorder --------------------------------*- tablegen -*-===//

def ReorderOp : NestTransformOp<"reorder"> {
  let summary = "Permutes loops of one nest";
  let description = [{
    The loops are given in the order they shall have, outermost first; loops
    of the nest that are not named keep their places.

    Before => after `reorder %k, %i`:
    ```mlir
    nest.for %i = 0 to 8 { nest.for %k = 0 to 4 { … } }
    nest.for %k = 0 to 4 { nest.for %i = 0 to 8 { … } }
    ```
    Refuses loops that are not in one chain without branches, bounds that
    would name an inner loop, ordered iterators that would run in another
    order, and buffers that carry values between iterations.
  }];
  let arguments = (ins Variadic<LoopHandle>:$loops);
  let assemblyFormat = "$loops attr-dict";
}
