//===- Reindex.td - reindex and its caches -----------------*- tablegen -*-===//

def ReindexOp : PrimitiveOp<"reindex"> {
  let summary = "Gives a block a buffer in its own iteration space";
  let arguments = (ins BlockHandle:$block, StrAttr:$role, I64Attr:$buffer);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block $role $buffer attr-dict";
}

def ReindexCacheReadOp : PrimitiveOp<"reindex_cache_read"> {
  let summary = "Reads a buffer through a copy with indices of one's choice";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope, AffineMapAttr:$map);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `read` $buffer `in` $scope `to` $map attr-dict";
}

def ReindexCacheWriteOp : PrimitiveOp<"reindex_cache_write"> {
  let summary = "Writes a buffer through a copy with indices of one's choice";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope, AffineMapAttr:$map);
  let results = (outs BlockHandle:$copy);
  let assemblyFormat = "$block `write` $buffer `in` $scope `to` $map attr-dict";
}
