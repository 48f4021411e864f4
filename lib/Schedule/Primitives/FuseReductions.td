//===- FuseReductions.td - fuse_reductions -----------------*- tablegen -*-===//

def FuseReductionsOp : PrimitiveOp<"fuse_reductions"> {
  let summary = "Reductions that need each other's results in one pass";
  let description = [{
    Reductions over the same domain, each using the results of those before it,
    become one tuple reduction that uses the running results and corrects what
    was summed with the old ones: online softmax (Milakov and Gimelshein, 2018),
    Welford's variance.

    Before => after `fuse_reductions %max, %sum at %k`:
    ```mlir
    for k { m = max(m, x[k]) }   for k { s += exp(x[k] - m) }
    for k { m1 = max(m, x[k]);  s = s * exp(m - m1) + exp(x[k] - m1);  m = m1 }
    ```
    Refuses reductions over other domains, and uses of a result that no
    correction is known for.
  }];
  let arguments = (ins Variadic<BlockHandle>:$blocks, LoopHandle:$loop);
  let results = (outs BlockHandle:$fused);
  let assemblyFormat = "$blocks `at` $loop attr-dict";
}
