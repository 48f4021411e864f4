//===- QueryMore.td - get_child_blocks, get_producers, ... -*- tablegen -*-===//

def GetChildBlocksOp : NestTransformOp<"get_child_blocks"> {
  let summary = "The blocks below a loop, in program order";
  let description = [{
    Refuses when the number of blocks differs from the number of results.
  }];
  let arguments = (ins LoopHandle:$loop);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "$loop attr-dict `:` custom<BlockCount>(type($blocks))";
}

def GetProducersOp : NestTransformOp<"get_producers"> {
  let summary = "The blocks that write what a block reads";
  let description = [{
    Those before `block` in program order that write a buffer it reads, in
    program order. Refuses when their number differs from the number of results.
  }];
  let arguments = (ins BlockHandle:$block);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "$block attr-dict `:` custom<BlockCount>(type($blocks))";
}

def GetConsumersOp : NestTransformOp<"get_consumers"> {
  let summary = "The blocks that read what a block writes";
  let description = [{
    Those after `block` in program order that read a buffer it writes, in
    program order. Refuses when their number differs from the number of results.
  }];
  let arguments = (ins BlockHandle:$block);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "$block attr-dict `:` custom<BlockCount>(type($blocks))";
}

def GetOutputBlocksOp : NestTransformOp<"get_output_blocks"> {
  let summary = "The blocks that write an argument";
  let description = [{
    Below `root` (a kernel, or a module), in program order. Refuses when their
    number differs from the number of results.
  }];
  let arguments = (ins TransformHandleTypeInterface:$root);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "`in` $root attr-dict `:` type($root) `,` custom<BlockCount>(type($blocks))";
}
