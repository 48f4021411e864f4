//===- Inline.td - compute_inline, reverse_compute_inline --*- tablegen -*-===//

def ComputeInlineOp : NestTransformOp<"compute_inline"> {
  let summary = "Substitutes a block into its consumers";
  let description = [{
    `T[i] = f(i)` and `… T[e] …` become `… f(e) …`; block and buffer vanish.
    Refuses blocks that are not complete, that have more than one store, that
    write an argument, and inputs that change before the consumer reads them.
  }];
  let arguments = (ins BlockHandle:$block);
  let assemblyFormat = "$block attr-dict";
}

def ReverseComputeInlineOp : NestTransformOp<"reverse_compute_inline"> {
  let summary = "Substitutes a block into its producer";
  let description = [{
    `T[i] = x` and `C[i] = g(T[i], i)` become `C[i] = g(x, i)`; the consumer
    and the buffer vanish. Refuses producers that are not complete, domains
    that differ, and a buffer with further readers.
  }];
  let arguments = (ins BlockHandle:$block);
  let assemblyFormat = "$block attr-dict";
}
