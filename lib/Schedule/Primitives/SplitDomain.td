//===- SplitDomain.td - split_domain -----------------------*- tablegen -*-===//

def SplitDomainOp : NestTransformOp<"split_domain"> {
  let summary = "Cuts a loop in two where a condition changes";
  let description = [{
    The condition, `>= 0`, is an expression of the loops around and including
    the cut one (dims, outermost first) and the function's sizes (symbols).

    Before => after `split_domain %j where affine_map<(i, j) -> (i - j)>`:
    ```mlir
    nest.for %i = 0 to 8 { nest.for %j = 0 to 8 { S } }
    nest.for %i = 0 to 8 { nest.for %j = 0 to min(8, %i + 1) { S }
                           nest.for %j = %i + 1 to 8 { S } }
    ```
    The blocks of the second loop get the suffix `_rest`. Returns the loop
    that runs first and the other. Refuses conditions that do not name the loop.
  }];
  let arguments = (ins LoopHandle:$loop, AffineMapAttr:$condition);
  let results = (outs LoopHandle:$first, LoopHandle:$second);
  let assemblyFormat = "$loop `where` $condition attr-dict";
}
