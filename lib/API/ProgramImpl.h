//===- ProgramImpl.h - What a Program shares --------------------*- C++ -*-===//
#ifndef NESTOR_LIB_API_PROGRAMIMPL_H
#define NESTOR_LIB_API_PROGRAMIMPL_H

#include "nestor/API/Program.h"
#include "nestor/Pipeline/Pipeline.h"
#include "nestor/Runtime/Instance.h"

#include <mutex>
#include <optional>

namespace nestor {

struct Program::Impl {
  rt::Program::Ptr loaded;
  std::string name, target, features;
  std::vector<TensorInfo> inputs, outputs;
  std::vector<SymbolInfo> symbols;
  CompileReport report;
  /// Kept by a program that was compiled here, so that it can be saved.
  std::optional<CompiledModel> compiled;

  /// Instances that `run` has made and nobody uses now.
  std::mutex lock;
  std::vector<std::unique_ptr<rt::Instance>> idle;

  /// Reads the contract of `program` into the face's own form.
  static std::shared_ptr<Impl> make(rt::Program::Ptr program);
};

/// Phases and kernels of a compiled model.
CompileReport makeReport(const CompiledModel &model);

} // namespace nestor

#endif // NESTOR_LIB_API_PROGRAMIMPL_H
