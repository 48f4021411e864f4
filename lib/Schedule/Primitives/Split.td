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
    `tail` says what becomes of that rest: "predicate" as above; "peel" makes a
    loop of its own of it, which follows, without predicates (its blocks get the
    suffix `_tail`); "perfect" wants none.
    ```mlir
    nest.for %io = 0 to 6 { nest.for %ii = 0 to 16 {
      nest.block "B" (%v : spatial = %io * 16 + %ii to 100) } }
    nest.for %i = 96 to 100 { nest.block "B_tail" (%v : spatial = %i to 100) }
    ```
    Tiles of a loop with several bounds start at multiples of their size and are
    cut by those bounds, on both sides.
    ```mlir
    nest.for %i = max(%t, 2) to min(%t + 50, 100) { ... }
    nest.for %io = max(%t floordiv 16, 0) to min((%t + 50) ceildiv 16, 7) {
      nest.for %i = max(%t, 2, %io * 16) to min(%t + 50, 100, %io * 16 + 16) { ... } }
    ```
    Refuses loops that are not serial, loops with several bounds and another
    outermost factor than -1 or a tail, more than one -1, factors whose product does not cover the extent, a tail to peel where
    the outermost factor is given or there is no full tile, and a perfect split
    whose factors are not shown to divide the extent.
  }];
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_factors,
                       DenseI64ArrayAttr:$factors, OptionalAttr<StrAttr>:$tail);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = [{
    $loop `by` custom<DynamicIndexList>($dynamic_factors, $factors) (`tail` $tail^)? attr-dict
    `:` custom<LoopCount>(type($loops))
  }];
  let extraClassDefinition = commonDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
