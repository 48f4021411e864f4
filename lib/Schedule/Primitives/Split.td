//===- Split.td - split ------------------------------------*- tablegen -*-===//

def SplitOp : PrimitiveOp<"split", [InsideNests, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "One loop into several nested ones";
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_factors,
                       DenseI64ArrayAttr:$factors, OptionalAttr<StrAttr>:$tail);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = [{
    $loop `by` custom<DynamicIndexList>($dynamic_factors, $factors) (`tail` $tail^)? attr-dict
    `:` custom<LoopCount>(type($loops))
  }];
  let extraClassDefinition = primitiveDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
