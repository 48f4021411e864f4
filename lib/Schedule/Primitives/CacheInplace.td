//===- CacheInplace.td - cache_inplace ---------------------*- tablegen -*-===//

def CacheInplaceOp : PrimitiveOp<"cache_inplace"> {
  let summary = "Updates a buffer in a copy";
  let description = [{
    Before => after `cache_inplace %c write 0 in "shared"`:
    ```mlir
    C[%i, %j] = C[%i, %j] + A[%i, %k]
    T = C;   T[%i, %j] = T[%i, %j] + A[%i, %k];   C = T
    ```
    Returns the copy in and the copy out; move them with `compute_at` and
    `reverse_compute_at`. Refuses buffers that other blocks of the nest access.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope);
  let results = (outs BlockHandle:$copyIn, BlockHandle:$copyOut);
  let assemblyFormat = "$block `write` $buffer `in` $scope attr-dict";
}
