//===- Objects.h - Native code in parts -------------------------*- C++ -*-===//
//
// Lowers a scheduled module to objects a few kernels at a time, so that the
// peak of memory is that of a part, and generates code for one part while the
// next is lowered.
//
// Assumes: nobody else uses the context meanwhile.
// Leaves true: the parts depend on the module alone, so the bytes do not depend
// on the number of threads.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_PIPELINE_OBJECTS_H
#define NESTOR_LIB_PIPELINE_OBJECTS_H

#include "nestor/Codegen/Codegen.h"
#include "nestor/Lower/Lower.h"

namespace nestor {

/// Objects of the program `lower.entry` of `module` and of its kernels, whose
/// bodies are gone afterwards.
llvm::Expected<std::vector<ObjectBytes>>
makeObjects(mlir::ModuleOp module, const LowerOptions &lower,
            const Target &target, unsigned threads,
            LoweredConstants &constants);

} // namespace nestor

#endif // NESTOR_LIB_PIPELINE_OBJECTS_H
