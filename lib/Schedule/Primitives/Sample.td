//===- Sample.td - sample_* --------------------------------*- tablegen -*-===//

def SampleCategoricalOp : PrimitiveOp<"sample_categorical"> {
  let summary = "One of several numbers, with probabilities";
  let description = [{
    `decision` is the index of the chosen candidate; without one, the likeliest.
    The number goes where primitives take parameters.

    ```mlir
    %u = transform.nest.sample_categorical [16, 64, 512] with [0.2, 0.5, 0.3] decision 1
    ```
    Refuses probabilities that are not as many as the candidates or not
    positive, and decisions outside of the list.
  }];
  let arguments = (ins DenseI64ArrayAttr:$candidates, DenseF64ArrayAttr:$probabilities,
                       OptionalAttr<I64Attr>:$decision);
  let results = (outs IntParam:$value);
  let assemblyFormat = "$candidates `with` $probabilities (`decision` $decision^)? attr-dict";
}

def SamplePerfectTileOp : PrimitiveOp<"sample_perfect_tile"> {
  let summary = "Factors whose product is the extent of a loop";
  let description = [{
    As many factors as results, outermost first; the innermost is at most
    `max_innermost`. Without a decision: all of it in the outermost.

    ```mlir
    %f:3 = transform.nest.sample_perfect_tile %i max_innermost 16 decision [8, 4, 2] : 3
    transform.nest.split %i by [%f#0, %f#1, %f#2] : 3
    ```
    A decision whose product is not the extent (another shape) is repaired:
    inner factors become the nearest divisors of what is left, the outermost
    takes the rest. Refuses loops without a constant extent.
  }];
  let arguments = (ins LoopHandle:$loop, I64Attr:$max_innermost,
                       OptionalAttr<DenseI64ArrayAttr>:$decision);
  let results = (outs Variadic<IntParam>:$factors);
  let assemblyFormat = [{
    $loop `max_innermost` $max_innermost (`decision` $decision^)? attr-dict
    `:` custom<ParamCount>(type($factors))
  }];
}

def SamplePartitionedTileOp : PrimitiveOp<"sample_partitioned_tile"> {
  let summary = "Factors of a loop whose inner part is a multiple of a number";
  let description = [{
    As `sample_perfect_tile`; the product of the factors from position
    `partition` on is a multiple of `inner_multiple`, so that what is inside
    fills whole pieces (an instruction's tile, a cache line).
    Refuses loops without a constant extent, and extents that `inner_multiple`
    does not divide.
  }];
  let arguments = (ins LoopHandle:$loop, I64Attr:$partition, I64Attr:$inner_multiple,
                       OptionalAttr<DenseI64ArrayAttr>:$decision);
  let results = (outs Variadic<IntParam>:$factors);
  let assemblyFormat = [{
    $loop `partition` $partition `inner_multiple` $inner_multiple (`decision` $decision^)?
    attr-dict `:` custom<ParamCount>(type($factors))
  }];
}

def SampleComputeLocationOp : PrimitiveOp<"sample_compute_location"> {
  let summary = "A loop of its consumer at which a block can be computed";
  let description = [{
    A number for `compute_at %block at %location`: that loop around the first
    consumer, outermost 0; -1 leaves the block where it is, -2 inlines it.
    Without a decision: -1. A decision that is none of the legal places is
    moved to the nearest one outside of it.
    Refuses blocks without a consumer.
  }];
  let arguments = (ins BlockHandle:$block, OptionalAttr<I64Attr>:$decision);
  let results = (outs IntParam:$location);
  let assemblyFormat = "$block (`decision` $decision^)? attr-dict";
}
