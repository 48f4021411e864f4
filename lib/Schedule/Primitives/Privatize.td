//===- Privatize.td - privatize ----------------------------*- tablegen -*-===//

def PrivatizeOp : PrimitiveOp<"privatize"> {
  let summary = "Gives each iteration of a loop a buffer of its own";
  let description = [{
    Before => after `privatize %p write 0 in %i`:
    ```mlir
    T = alloc;  for i { P: T[x] = ...;  C: ... T[x] }
    for i { T = alloc;  P: T[x] = ...;  C: ... T[x] }
    ```
    Iterations no longer depend on each other through it: `parallel` and
    `reorder` may follow. Refuses arguments of the kernel, reads of what another
    iteration wrote, and readers outside of the loop.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, LoopHandle:$loop);
  let assemblyFormat = "$block `write` $buffer `in` $loop attr-dict";
}
