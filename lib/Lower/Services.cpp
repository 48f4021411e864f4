//===- Services.cpp - Calls from generated code to its caller -------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Services.h"

#include "nestor/Runtime/Abi.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

Value nestor::lower::byteOffset(OpBuilder &builder, Location loc, Value base,
                                int64_t bytes) {
  if (bytes == 0)
    return base;
  auto ptr = LLVM::LLVMPointerType::get(builder.getContext());
  return LLVM::GEPOp::create(
      builder, loc, ptr, builder.getI8Type(), base,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value nestor::lower::entryAlloca(LLVM::LLVMFuncOp function, OpBuilder &builder,
                                 Location loc, Type type, int64_t count,
                                 int64_t alignment) {
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&function.getBody().front());
  Value one = LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                       builder.getI64IntegerAttr(1));
  // An array type, so that SROA sees through it at once.
  return LLVM::AllocaOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()),
      LLVM::LLVMArrayType::get(type, count), one, alignment);
}

Value nestor::lower::loadField(OpBuilder &builder, Location loc, Type type,
                               Value base, int64_t bytes) {
  return LLVM::LoadOp::create(builder, loc, type,
                              byteOffset(builder, loc, base, bytes));
}

Value nestor::lower::callService(OpBuilder &builder, Location loc, Value call,
                                 size_t offset, Type result,
                                 ValueRange operands) {
  auto ptr = LLVM::LLVMPointerType::get(builder.getContext());
  Value services =
      loadField(builder, loc, ptr, call, offsetof(nst_call, services));
  Value function = loadField(builder, loc, ptr, services, offset);
  SmallVector<Type> types{ptr};
  llvm::append_range(types, operands.getTypes());
  auto type = LLVM::LLVMFunctionType::get(result, types);
  SmallVector<Value> all{function, call};
  llvm::append_range(all, operands);
  auto op = LLVM::CallOp::create(builder, loc, type, all);
  return isa<LLVM::LLVMVoidType>(result) ? Value() : op.getResult();
}

Value nestor::lower::stringAddress(OpBuilder &builder, Location loc,
                                   Operation *module, StringRef text) {
  std::string name = "str_" + llvm::utohexstr(llvm::xxh3_64bits(text), true);
  auto top = cast<ModuleOp>(module);
  if (!top.lookupSymbol(name)) {
    OpBuilder atTop = OpBuilder::atBlockBegin(top.getBody());
    std::string bytes = text.str();
    bytes.push_back('\0');
    auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), bytes.size());
    LLVM::GlobalOp::create(atTop, loc, type, /*isConstant=*/true,
                           LLVM::Linkage::Internal, name,
                           builder.getStringAttr(bytes));
  }
  auto ptr = LLVM::LLVMPointerType::get(builder.getContext());
  return LLVM::AddressOfOp::create(builder, loc, ptr, name);
}
