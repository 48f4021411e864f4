//===- Cache.td - cache_read, cache_write, set_scope -------*- tablegen -*-===//

def CacheReadOp : PrimitiveOp<"cache_read", [AroundNests]> {
  let summary = "Reads a buffer through a copy";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope,
                       Variadic<BlockHandle>:$consumers);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `read` $buffer `in` $scope (`for` $consumers^)? attr-dict";
}

def CacheWriteOp : PrimitiveOp<"cache_write", [AroundNests]> {
  let summary = "Writes a buffer through a copy";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope,
                       Variadic<BlockHandle>:$consumers);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `write` $buffer `in` $scope (`for` $consumers^)? attr-dict";
}

def SetScopeOp : PrimitiveOp<"set_scope", [InsideNests]> {
  let summary = "Says where the buffer that a block writes lives";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope);
  let assemblyFormat = "$block `write` $buffer `in` $scope attr-dict";
}
