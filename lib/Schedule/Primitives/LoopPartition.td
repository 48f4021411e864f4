//===- LoopPartition.td - loop_partition -------------------*- tablegen -*-===//

def LoopPartitionOp : NestTransformOp<"loop_partition", [DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "One loop into several that follow each other";
  let description = [{
    `by [a, b, c]` makes loops of these numbers of iterations, in order; one of
    them may be -1 and takes the rest. The blocks of the second part and later
    ones get names with the suffix `_part`.

    Before => after `loop_partition %i by [1, -1]`:
    ```mlir
    nest.for %i = 0 to symbol(%n) { S(%i) }
    nest.for %i = 0 to 1 { S(%i) }
    nest.for %i = 1 to symbol(%n) { S(%i) }
    ```
    Refuses loops that are not serial, loops with several bounds, more than one
    -1, parts that are not positive, and a sum that is not the extent, or not
    shown to be within it.
  }];
  let arguments = (ins LoopHandle:$loop, Variadic<IntParam>:$dynamic_parts,
                       DenseI64ArrayAttr:$parts);
  let results = (outs Variadic<LoopHandle>:$loops);
  let assemblyFormat = [{
    $loop `by` custom<DynamicIndexList>($dynamic_parts, $parts) attr-dict
    `:` custom<LoopCount>(type($loops))
  }];
  let extraClassDefinition = commonDefinition # [{
    void $cppClass::getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::nestor::sched::nameLoops(getOperation(), setName);
    }
  }];
}
