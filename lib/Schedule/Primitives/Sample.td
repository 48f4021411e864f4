//===- Sample.td - sample_* --------------------------------*- tablegen -*-===//

def SampleCategoricalOp : SampleOp<"sample_categorical"> {
  let summary = "One of several numbers, with probabilities";
  let arguments = (ins DenseI64ArrayAttr:$candidates, DenseF64ArrayAttr:$probabilities,
                       OptionalAttr<I64Attr>:$decision);
  let results = (outs IntParam:$value);
  let assemblyFormat = "$candidates `with` $probabilities (`decision` $decision^)? attr-dict";
}

def SamplePerfectTileOp : SampleOp<"sample_perfect_tile"> {
  let summary = "Factors whose product is the extent of a loop";
  let arguments = (ins LoopHandle:$loop, I64Attr:$max_innermost,
                       OptionalAttr<DenseI64ArrayAttr>:$decision);
  let results = (outs Variadic<IntParam>:$factors);
  let assemblyFormat = [{
    $loop `max_innermost` $max_innermost (`decision` $decision^)? attr-dict
    `:` custom<ParamCount>(type($factors))
  }];
}

def SamplePartitionedTileOp : SampleOp<"sample_partitioned_tile"> {
  let summary = "Factors of a loop whose inner part is a multiple of a number";
  let arguments = (ins LoopHandle:$loop, I64Attr:$partition, I64Attr:$inner_multiple,
                       OptionalAttr<DenseI64ArrayAttr>:$decision);
  let results = (outs Variadic<IntParam>:$factors);
  let assemblyFormat = [{
    $loop `partition` $partition `inner_multiple` $inner_multiple (`decision` $decision^)?
    attr-dict `:` custom<ParamCount>(type($factors))
  }];
}

def SampleComputeLocationOp : SampleOp<"sample_compute_location"> {
  let summary = "A loop of its consumer at which a block can be computed";
  let arguments = (ins BlockHandle:$block, OptionalAttr<I64Attr>:$decision);
  let results = (outs IntParam:$location);
  let assemblyFormat = "$block (`decision` $decision^)? attr-dict";
}
