//===- Split.td - split ------------------------------------*- tablegen -*-===//

def SplitOp : NestTransformOp<"split", [DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "One loop into several nested ones";
  let description = [{
    `by [a, b, c]` makes loops of these extents, outermost first; one of them
    may be -1 and is inferred. Where they do not divide the extent, blocks get
    a predicate that cuts off the rest.

    Before => after `split %i by [-1, 16]`:
    ```mlir
    nest.for %i = 0 to 100 { nest.block "B" (%v : spatial = %i to 100) }
    nest.for %io = 0 to 7 { nest.for %ii = 0 to 16 {
      nest.block "B" (%v : spatial = %io * 16 + %ii to 100) where (99 - %io * 16 - %ii >= 0) } }
    ```
    Refuses loops that are not serial, loops with several bounds, more than one
    -1, and factors whose product does not cover the extent.
  }];
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_factors,
                       DenseI64ArrayAttr:$factors);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = [{
    $loop `by` custom<DynamicIndexList>($dynamic_factors, $factors) attr-dict
    `:` custom<LoopCount>(type($loops))
  }];
  let extraClassDefinition = commonDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
