//===- ComputeAt.td - compute_at, reverse_compute_at -------*- tablegen -*-===//

def ComputeAtOp : PrimitiveOp<"compute_at", [AroundNests, AttrSizedOperandSegments]> {
  let summary = "Moves a producer under a loop of its consumer";
  let arguments = (ins BlockHandle:$block, Optional<LoopHandle>:$loop,
                       Optional<IntParam>:$location);
  let assemblyFormat = [{
    $block (`at` $loop^)? (`location` $location^)? attr-dict
  }];
}

def ReverseComputeAtOp : PrimitiveOp<"reverse_compute_at", [AroundNests]> {
  let summary = "Moves a consumer under a loop of its producer";
  let arguments = (ins BlockHandle:$block, LoopHandle:$loop);
  let assemblyFormat = "$block `at` $loop attr-dict";
}
