//===- Compact.td - compact_buffers ------------------------*- tablegen -*-===//

def CompactBuffersOp : NestTransformOp<"compact_buffers"> {
  let summary = "Shrinks buffers to what one iteration touches";
  let description = [{
    Each `nest.alloc` whose values do not outlive an iteration of a loop moves
    into that loop and keeps only the box that is touched there; buffers that
    nobody uses vanish; divisions in indices that loops decide are removed.
    The last step of a schedule: it adds iterators for the corners of boxes.

    Before => after, for a 4 x 16 register tile:
    ```mlir
    %T = nest.alloc : memref<64x64xf32, "register">
    nest.for %io … nest.for %jo … { … T[%vi, %vj] … }
    nest.for %io … nest.for %jo … {
      %T = nest.alloc : memref<4x16xf32, "register"> … T[%vi - %o, %vj - %p] … }
    ```
    Never refuses; what cannot shrink stays as it is.
  }];
  let arguments = (ins TransformHandleTypeInterface:$func);
  let assemblyFormat = "$func attr-dict `:` type($func)";
}
