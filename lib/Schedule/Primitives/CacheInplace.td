//===- CacheInplace.td - cache_inplace ---------------------*- tablegen -*-===//

def CacheInplaceOp : PrimitiveOp<"cache_inplace"> {
  let summary = "Updates a buffer in a copy";
  let arguments = (ins BlockHandle:$block, I64Attr:$buffer, StrAttr:$scope);
  let results = (outs BlockHandle:$copyIn, BlockHandle:$copyOut);
  let assemblyFormat = "$block `write` $buffer `in` $scope attr-dict";
}
