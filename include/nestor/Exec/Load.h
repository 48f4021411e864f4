//===- Load.h - Objects to a program that runs, here and now ----*- C++ -*-===//
//
// The JIT is the artefact's way in memory: the same objects, linked by the same
// linker, checked and loaded by the same loader. So what runs here and what
// runs from an .nst file are the same bits.
//
// Assumes: objects of one model, made for a target that runs here.
// Leaves true: nothing on disk; the program keeps what it needs.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_EXEC_LOAD_H
#define NESTOR_EXEC_LOAD_H

#include "nestor/Codegen/Codegen.h"
#include "nestor/Runtime/Program.h"
#include "nestor/Runtime/Status.h"

namespace nestor {

/// Links `objects` and loads the result. `resolver` gives the constants that
/// nst_model names; it is kept with the program, so it may own them.
llvm::Expected<rt::Program::Ptr> load(llvm::ArrayRef<ObjectBytes> objects,
                                      const Target &target,
                                      rt::ConstantResolver resolver = {});

/// A runtime's status as an error; success for Ok.
llvm::Error toError(const rt::Status &status);

} // namespace nestor

#endif // NESTOR_EXEC_LOAD_H
