//===- Bind.td - bind --------------------------------------*- tablegen -*-===//

def BindOp : NestTransformOp<"bind"> {
  let summary = "Iterations of a loop are positions on an axis of a GPU";
  let description = [{
    The axes are "block.x", "block.y", "block.z", "thread.x", "thread.y" and
    "thread.z". Where there is no such machine the loop runs in order.

    Before => after `bind %i to "block.x"`:
    ```mlir
    nest.for %i = 0 to 64 { S(%i) }
    nest.for %i = 0 to 64 bind annotate {axis = "block.x"} { S(%i) }
    ```
    Refuses unknown axes, an axis that a loop around or inside has, and what
    `parallel` refuses.
  }];
  let arguments = (ins LoopHandle:$loop, StrAttr:$axis);
  let assemblyFormat = "$loop `to` $axis attr-dict";
}
