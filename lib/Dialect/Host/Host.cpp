//===- Host.cpp - The host dialect ----------------------------------------===//
//
// Registration and verifiers of HostOps.td.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Host/Host.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

#include "nestor/Dialect/Host/HostOpsDialect.cpp.inc"

#define GET_OP_CLASSES
#include "nestor/Dialect/Host/HostOps.cpp.inc"

using namespace mlir;
using namespace nestor::host;

void HostDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "nestor/Dialect/Host/HostOps.cpp.inc"
      >();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(
      *this, getKernelAttr());
  if (!kernel)
    return emitOpError("names no kernel: ") << getKernelAttr();
  SmallVector<Type> given;
  llvm::append_range(given, TypeRange(getBuffers()));
  llvm::append_range(given, TypeRange(getSizes()));
  if (ArrayRef<Type>(given) != ArrayRef<Type>(kernel.getArgumentTypes()))
    return emitOpError("operands do not match the signature of ")
           << getKernelAttr();
  return success();
}
