//===- Kinds.td - vectorize, unroll, parallel, annotate ----*- tablegen -*-===//

def VectorizeOp : PrimitiveOp<"vectorize", [InsideNests]> {
  let summary = "Iterations of a loop become lanes";
  let arguments = (ins LoopHandle:$loop);
  let assemblyFormat = "$loop attr-dict";
}

def UnrollOp : PrimitiveOp<"unroll", [InsideNests]> {
  let summary = "Iterations of a loop are written one after the other";
  let arguments = (ins LoopHandle:$loop);
  let assemblyFormat = "$loop attr-dict";
}

def ParallelOp : PrimitiveOp<"parallel", [InsideNests]> {
  let summary = "Iterations of a loop run on several threads";
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_grain,
                       DenseI64ArrayAttr:$grain);
  let assemblyFormat =
      "$loop `grain` custom<DynamicIndexList>($dynamic_grain, $grain) attr-dict";
}

def AnnotateOp : PrimitiveOp<"annotate", [InsideNests]> {
  let summary = "Sets an annotation of a loop or a block";
  let arguments = (ins TransformHandleTypeInterface:$target, StrAttr:$key, AnyAttr:$value);
  let assemblyFormat = "$target `:` type($target) $key `=` $value attr-dict";
}
