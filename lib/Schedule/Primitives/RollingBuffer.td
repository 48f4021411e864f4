//===- RollingBuffer.td - rolling_buffer -------------------*- tablegen -*-===//

def RollingBufferOp : PrimitiveOp<"rolling_buffer"> {
  let summary = "Keeps only the rows of a buffer that are still read";
  let description = [{
    For a producer computed at a loop of its consumer whose windows overlap:
    the buffer becomes a ring as long as the window, and every row is computed
    once.

    Before => after `rolling_buffer %p write 0`:
    ```mlir
    nest.for %i = 0 to 8 { for r in 0..3 { P[%i + r] = ... }  C[%i] = P[%i] + P[%i + 1] + P[%i + 2] }
    nest.for %i = 0 to 8 { for r in 0..3 where (%i == 0 or r == 2) { P[(%i + r) mod 3] = ... } ... }
    ```
    Refuses buffers that leave the loop, loops that are not serial, and windows
    that do not move on by a constant.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer);
  let assemblyFormat = "$block `write` $buffer attr-dict";
}
