//===- Reindex.td - reindex and its caches -----------------*- tablegen -*-===//

def ReindexOp : PrimitiveOp<"reindex"> {
  let summary = "Gives a block a buffer in its own iteration space";
  let description = [{
    A copy of what the block reads (writes) in its `buffer`-th input (output)
    whose dims are the iterators that the access uses, in their order.

    Before => after `reindex %c read 0`:
    ```mlir
    C[%n, %h] += A[%n, %h * 2 + %r] * W[%r]
    T[%n, %h, %r] = A[%n, %h * 2 + %r];   C[%n, %h] += T[%n, %h, %r] * W[%r]
    ```
    Refuses buffers that the block accesses in more than one way, and what
    `cache_read` and `cache_write` refuse.
  }];
  let arguments = (ins BlockHandle:$block, StrAttr:$role, I64Attr:$buffer);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block $role $buffer attr-dict";
}

def ReindexCacheReadOp : PrimitiveOp<"reindex_cache_read"> {
  let summary = "Reads a buffer through a copy with indices of one's choice";
  let description = [{
    `map` takes the block's iterators to the indices of the copy.

    Before => after `reindex_cache_read %c read 0 in "shared" to affine_map<(n, h, r) -> (r, n, h)>`:
    ```mlir
    C[%n, %h] += A[%n, %h * 2 + %r] * W[%r]
    T[%r, %n, %h] = A[%n, %h * 2 + %r];   C[%n, %h] += T[%r, %n, %h] * W[%r]
    ```
    Refuses maps that give two different elements one place, and what `reindex`
    refuses.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope, AffineMapAttr:$map);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `read` $buffer `in` $scope `to` $map attr-dict";
}

def ReindexCacheWriteOp : PrimitiveOp<"reindex_cache_write"> {
  let summary = "Writes a buffer through a copy with indices of one's choice";
  let description = [{
    As `reindex_cache_read`, for the `buffer`-th output; `map` names spatial
    iterators alone.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope, AffineMapAttr:$map);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `write` $buffer `in` $scope `to` $map attr-dict";
}
