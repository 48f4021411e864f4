//===- Blockize.td - blockize ------------------------------*- tablegen -*-===//

def BlockizeOp : PrimitiveOp<"blockize"> {
  let summary = "A loop and what is inside it become one block";
  let description = [{
    Before => after `blockize %ii`:
    ```mlir
    nest.for %io = 0 to 4 { nest.for %ii = 0 to 16 { nest.block "B" (%v : spatial = %io * 16 + %ii to 64) { S(%v) } } }
    nest.for %io = 0 to 4 { nest.block "B_o" (%vo : spatial = %io to 4) {
      nest.for %ii = 0 to 16 { nest.block "B" (%v : spatial = %vo * 16 + %ii to 64) { S(%v) } } } }
    ```
    Refuses subtrees with more than one block, iterators whose bindings do not
    come apart into an outer and an inner part, and predicates across the two.
  }];
  let arguments = (ins LoopHandle:$loop);
  let results = (outs BlockHandle:$outer);
  let assemblyFormat = "$loop attr-dict";
}
