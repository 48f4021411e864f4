//===- nestor.h - The C++ face of Nestor ------------------------*- C++ -*-===//
//
//   nestor::Compiler compiler;
//   auto program = compiler.compile("model.onnx");
//   if (!program)
//     return complain(program.failure().message);
//   auto outputs = program->run({inputs});
//
// No LLVM or MLIR type is visible here, nothing throws, and no call ends the
// process.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_API_NESTOR_H
#define NESTOR_API_NESTOR_H

#include "nestor/API/Compiler.h"
#include "nestor/API/Inspect.h"
#include "nestor/API/Program.h"
#include "nestor/API/Result.h"
#include "nestor/API/Tensor.h"
#include "nestor/API/TensorFile.h"

#endif // NESTOR_API_NESTOR_H
