//===- ComputeAt.td - compute_at, reverse_compute_at -------*- tablegen -*-===//

def ComputeAtOp : NestTransformOp<"compute_at"> {
  let summary = "Moves a producer under a loop of its consumer";
  let description = [{
    The block computes, in each iteration of `loop`, the box that is read
    below; its own loops are made anew. Reduction loops come along.

    Before => after `compute_at %P at %i`:
    ```mlir
    nest.for %a = 0 to 64 { nest.block "P" … T[%a] = … }
    nest.for %i = 0 to 16 { nest.for %j = 0 to 4 { nest.block "C" … T[%i * 4 + %j] … } }

    nest.for %i = 0 to 16 {
      nest.for %a = 0 to 4 { nest.block "P" (%i * 4 + %a) … }
      nest.for %j = 0 to 4 { nest.block "C" … } }
    ```
    Refuses blocks that are neither complete nor reductions, that write an
    argument, that have another writer or a reader outside of the loop, and
    inputs that change in between.
  }];
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let assemblyFormat = "$block `at` $loop attr-dict";
}

def ReverseComputeAtOp : NestTransformOp<"reverse_compute_at"> {
  let summary = "Moves a consumer under a loop of its producer";
  let description = [{
    In each iteration of `loop` the block handles the box that was produced
    there; dims that no produced buffer has are run through whole.

    Refuses blocks that are not complete, producers outside of the loop or that
    are finished only by an outer loop (reductions), reads that are no plain
    iterators, and blocks in between that would see another order.
  }];
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let assemblyFormat = "$block `at` $loop attr-dict";
}
