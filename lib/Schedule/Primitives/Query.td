//===- Query.td - get_block, get_loops ---------------------*- tablegen -*-===//

def GetBlockOp : QueryOp<"get_block"> {
  let summary = "Finds a block by its name";
  let arguments = (ins StrAttr:$name, TransformHandleTypeInterface:$root);
  let results = (outs BlockHandle:$block);
  let assemblyFormat = "$name `in` $root attr-dict `:` type($root)";
}

def GetLoopsOp : QueryOp<"get_loops", [DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "The loops around a block, outermost first";
  let arguments = (ins BlockHandle:$block);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = "$block attr-dict `:` custom<LoopCount>(type($loops))";
  let extraClassDefinition = primitiveDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
