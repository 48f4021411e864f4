//===- RFactor.td - rfactor --------------------------------*- tablegen -*-===//

def RFactorOp : NestTransformOp<"rfactor"> {
  let summary = "Reduces in parts, then the parts";
  let description = [{
    Each value of `loop` accumulates in an element of its own, of a new
    buffer with one more dim at `axis`; a second block combines them.

    Before => after `rfactor %ki axis 0`:
    ```mlir
    nest.for %ko { nest.for %ki { nest.block "S" … S[] += A[%ko * 4 + %ki] } }
    nest.for %ko { nest.for %ki { nest.block "S_rf" … R[%ki] += A[%ko * 4 + %ki] } }
    nest.for %l { nest.block "S" … S[] += R[%l] }
    ```
    Refuses updates that are no known commutative operation, loops that feed
    spatial iterators, nests that hold other blocks, loops inside whose bounds
    name a reduction loop, and reductions that begin elsewhere.
  }];
  let arguments = (ins LoopHandle:$loop, I64Attr:$axis);
  let results = (outs BlockHandle:$partial);
  let assemblyFormat = "$loop `axis` $axis attr-dict";
}
