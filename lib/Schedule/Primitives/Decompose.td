//===- Decompose.td - decompose_reduction ------------------*- tablegen -*-===//

def DecomposeReductionOp : NestTransformOp<"decompose_reduction"> {
  let summary = "Gives the init of a reduction its own block";
  let description = [{
    The init goes right before `loop`, with copies of the spatial loops from
    there on.

    Before => after `decompose_reduction %C at %k`:
    ```mlir
    nest.for %i { nest.for %k { nest.for %j { nest.block "C" … init {…} {…} } } }
    nest.for %i {
      nest.for %j { nest.block "C_init" … {…} }
      nest.for %k { nest.for %j { nest.block "C" … {…} } } }
    ```
    Refuses blocks without init, loops inside of a reduction loop, loops or
    predicates that mix spatial and reduce iterators, loops that come back to an
    element, what the init would overtake, and reductions that begin elsewhere.
  }];
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let results = (outs BlockHandle:$init);
  let assemblyFormat = "$block `at` $loop attr-dict";
}
