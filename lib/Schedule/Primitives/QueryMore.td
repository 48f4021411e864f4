//===- QueryMore.td - get_child_blocks, get_producers, ... -*- tablegen -*-===//

def GetChildBlocksOp : QueryOp<"get_child_blocks"> {
  let summary = "The blocks below a loop, in program order";
  let arguments = (ins LoopHandle:$loop);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "$loop attr-dict `:` custom<BlockCount>(type($blocks))";
}

def GetProducersOp : QueryOp<"get_producers"> {
  let summary = "The blocks that write what a block reads";
  let arguments = (ins BlockHandle:$block);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "$block attr-dict `:` custom<BlockCount>(type($blocks))";
}

def GetConsumersOp : QueryOp<"get_consumers"> {
  let summary = "The blocks that read what a block writes";
  let arguments = (ins BlockHandle:$block);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "$block attr-dict `:` custom<BlockCount>(type($blocks))";
}

def GetOutputBlocksOp : QueryOp<"get_output_blocks"> {
  let summary = "The blocks that write an argument";
  let arguments = (ins TransformHandleTypeInterface:$root);
  let results = (outs Variadic<BlockHandle>:$blocks);
  let assemblyFormat = "`in` $root attr-dict `:` type($root) `,` custom<BlockCount>(type($blocks))";
}
