//===- Kinds.td - vectorize, unroll, parallel, annotate ----*- tablegen -*-===//

def VectorizeOp : NestTransformOp<"vectorize"> {
  let summary = "Iterations of a loop become lanes";
  let description = [{
    Refuses loops without a constant extent, ordered iterators, buffers that
    carry values between iterations, and reductions whose update is no known
    associative operation.
  }];
  let arguments = (ins LoopHandle:$loop);
  let assemblyFormat = "$loop attr-dict";
}

def UnrollOp : NestTransformOp<"unroll"> {
  let summary = "Iterations of a loop are written one after the other";
  let description = [{
    Refuses loops without a constant extent, and what would become more than
    16384 operations.
  }];
  let arguments = (ins LoopHandle:$loop);
  let assemblyFormat = "$loop attr-dict";
}

def ParallelOp : NestTransformOp<"parallel"> {
  let summary = "Iterations of a loop run on several threads";
  let description = [{
    `grain` is the least number of iterations that one thread takes at a time.
    Buffers that live within one iteration move into the loop.
    Refuses loops that feed reduce or ordered iterators, and buffers that two
    iterations share.
  }];
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_grain,
                       DenseI64ArrayAttr:$grain);
  let assemblyFormat =
      "$loop `grain` custom<DynamicIndexList>($dynamic_grain, $grain) attr-dict";
}

def AnnotateOp : NestTransformOp<"annotate"> {
  let summary = "Sets an annotation of a loop or a block";
  let description = [{
    Annotations are hints for lowering; none changes the meaning. Refuses
    operations that are neither loop nor block.
  }];
  let arguments = (ins TransformHandleTypeInterface:$target, StrAttr:$key, AnyAttr:$value);
  let assemblyFormat = "$target `:` type($target) $key `=` $value attr-dict";
}
