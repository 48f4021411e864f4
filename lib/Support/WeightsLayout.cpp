//===- WeightsLayout.cpp - Where constants lie in an artefact -------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "nestor/Support/WeightsLayout.h"

#include "llvm/Support/MathExtras.h"

nestor::WeightsLayout nestor::layoutWeights(llvm::ArrayRef<uint64_t> sizes) {
  WeightsLayout layout;
  uint64_t at = 0;
  for (uint64_t size : sizes) {
    at = llvm::alignTo(at, size >= 4096 ? 4096 : 64);
    layout.offsets.push_back(at);
    at += size;
  }
  layout.bytes = llvm::alignTo(at, 64);
  return layout;
}
