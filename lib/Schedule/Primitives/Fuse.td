//===- Fuse.td - fuse --------------------------------------*- tablegen -*-===//

def FuseOp : NestTransformOp<"fuse"> {
  let summary = "Nested loops into one";
  let description = [{
    Before => after `fuse %i, %j`:
    ```mlir
    nest.for %i = 0 to 8 { nest.for %j = 0 to 4 { nest.block "B" (%u : spatial = %i to 8, %v : spatial = %j to 4) } }
    nest.for %f = 0 to 32 { nest.block "B" (%u : spatial = %f floordiv 4 to 8, %v : spatial = %f mod 4 to 4) }
    ```
    Refuses loops that do not follow each other directly, that are not serial,
    that do not start at 0, or whose inner extents are no constants.
  }];
  let arguments = (ins Variadic<LoopHandle>:$loops);
  let results = (outs LoopHandle:$fused);
  let assemblyFormat = "$loops attr-dict";
}
