//===- LoopPartition.td - loop_partition -------------------*- tablegen -*-===//

def LoopPartitionOp : PrimitiveOp<"loop_partition", [InsideNests, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "One loop into several that follow each other";
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_parts,
                       DenseI64ArrayAttr:$parts);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = [{
    $loop `by` custom<DynamicIndexList>($dynamic_parts, $parts) attr-dict
    `:` custom<LoopCount>(type($loops))
  }];
  let extraClassDefinition = primitiveDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
