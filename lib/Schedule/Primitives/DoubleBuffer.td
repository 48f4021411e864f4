//===- DoubleBuffer.td - double_buffer ---------------------*- tablegen -*-===//

def DoubleBufferOp : PrimitiveOp<"double_buffer"> {
  let summary = "Two versions of a buffer, used in turn";
  let description = [{
    Iterations of the loop that holds the buffer write the version of their
    parity.

    Before => after `double_buffer %p write 0`:
    ```mlir
    for i { T = alloc [16];     P: T[x] = ...;        C: ... T[x] }
    T = alloc [2, 16];  for i { P: T[i mod 2, x] = ...;  C: ... T[i mod 2, x] }
    ```
    Refuses arguments of the kernel, buffers that are in no loop, and buffers
    that carry values from one iteration to another.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer);
  let assemblyFormat = "$block `write` $buffer attr-dict";
}
