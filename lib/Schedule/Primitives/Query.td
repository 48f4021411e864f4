//===- Query.td - get_block, get_loops ---------------------*- tablegen -*-===//

def GetBlockOp : NestTransformOp<"get_block"> {
  let summary = "Finds a block by its name";
  let description = [{
    The block called `name` below `root` (a kernel, or a module). Refuses when
    there is none, or more than one.
  }];
  let arguments = (ins StrAttr:$name, TransformHandleTypeInterface:$root);
  let results = (outs BlockHandle:$block);
  let assemblyFormat = "$name `in` $root attr-dict `:` type($root)";
}

def GetLoopsOp : NestTransformOp<"get_loops", [DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "The loops around a block, outermost first";
  let description = [{
    Refuses when the number of loops differs from the number of results.
  }];
  let arguments = (ins BlockHandle:$block);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = "$block attr-dict `:` custom<LoopCount>(type($loops))";
  let extraClassDefinition = commonDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
