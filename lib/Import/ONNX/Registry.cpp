//===- Registry.cpp - Operators by name -----------------------------------===//
//
// The table that Ops.def spells.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include "llvm/ADT/StringMap.h"

namespace nestor::onnx {

#define NESTOR_ONNX_OP(NAME, HANDLER, SINCE)                                   \
  void HANDLER(NodeContext &, TensorBuilder &);
#define NESTOR_ONNX_OP_IN(DOMAIN, NAME, HANDLER, SINCE)                        \
  void HANDLER(NodeContext &, TensorBuilder &);
#include "Ops.def"

const OpEntry *findOp(llvm::StringRef domain, llvm::StringRef op) {
  static const llvm::StringMap<OpEntry> table = [] {
    llvm::StringMap<OpEntry> entries;
#define NESTOR_ONNX_OP(NAME, HANDLER, SINCE) entries[#NAME] = {HANDLER, SINCE};
#define NESTOR_ONNX_OP_IN(DOMAIN, NAME, HANDLER, SINCE)                        \
  entries[DOMAIN ":" #NAME] = {HANDLER, SINCE};
#include "Ops.def"
    return entries;
  }();
  auto it = domain.empty() || domain == "ai.onnx"
                ? table.find(op)
                : table.find((domain + ":" + op).str());
  return it == table.end() ? nullptr : &it->second;
}

} // namespace nestor::onnx
