//===- Cache.td - cache_read, cache_write, set_scope -------*- tablegen -*-===//

def CacheReadOp : NestTransformOp<"cache_read"> {
  let summary = "Reads a buffer through a copy";
  let description = [{
    The copy stands before the nest of the block and takes all that the block
    reads of its `buffer`-th input; move it with `compute_at`.
    Refuses buffers that are written in or after that nest.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `read` $buffer `in` $scope attr-dict";
}

def CacheWriteOp : NestTransformOp<"cache_write"> {
  let summary = "Writes a buffer through a copy";
  let description = [{
    The block writes into a buffer of its own; a copy after its nest writes the
    `buffer`-th output. Move it with `reverse_compute_at`.
    Refuses buffers with other writers or with readers in the same nest, blocks
    that leave gaps, and updates of what was in the buffer before.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `write` $buffer `in` $scope attr-dict";
}

def SetScopeOp : NestTransformOp<"set_scope"> {
  let summary = "Says where the buffer that a block writes lives";
  let description = [{
    Refuses arguments of the kernel and scopes that it does not know.
  }];
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope);
  let assemblyFormat = "$block `write` $buffer `in` $scope attr-dict";
}
