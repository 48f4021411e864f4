//===- Program.h - A loaded model -------------------------------*- C++ -*-===//
//
// Loading is map, check, go: the file is checked as bytes, mapped by the
// dynamic loader (no code runs), its contract and CPU features are checked,
// and only then may an Instance call it. A Program never changes and may be
// shared by any number of threads and instances.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RUNTIME_PROGRAM_H
#define NESTOR_RUNTIME_PROGRAM_H

#include "nestor/Runtime/Abi.h"
#include "nestor/Runtime/ArtefactFile.h"
#include "nestor/Runtime/Buffer.h"
#include "nestor/Runtime/Status.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace nestor::rt {

/// Where the constants of an artefact without weights come from: the bytes of
/// `key`, at least `bytes` long, valid while the program lives (the function is
/// kept, so it may own them); null when there are none. Bytes that are not
/// 64-byte aligned are copied.
using ConstantResolver =
    std::function<const void *(const char *key, uint64_t bytes)>;

struct LoadOptions {
  Integrity integrity = Integrity::Auto;
  ConstantResolver resolver;
  /// Off only to look at an artefact (inspect): such a program cannot run.
  bool checkFeatures = true;
};

class Program {
public:
  using Ptr = std::shared_ptr<const Program>;

  /// Loads the .nst file at `path`.
  static Status loadFile(const char *path, LoadOptions options, Ptr &program);
  /// Loads an ELF shared object from memory; `bytes` may go afterwards.
  static Status loadBytes(const uint8_t *bytes, size_t size,
                          LoadOptions options, Ptr &program);
  /// Takes a model that is in memory already (JIT). `owner` keeps it there.
  static Status adopt(const nst_model *model, const void *weights,
                      uint64_t weightsBytes, std::shared_ptr<void> owner,
                      LoadOptions options, Ptr &program);

  const nst_model &model() const { return *contract; }
  /// One pointer per row of the constants table.
  const void *const *constants() const { return constantPointers.data(); }
  uint64_t weightsBytes() const { return numWeightsBytes; }
  bool runnable() const { return featuresPresent; }
  /// Required features, as text ("avx2,fma").
  const char *features() const;

private:
  Program() = default;

  const nst_model *contract = nullptr;
  std::vector<const void *> constantPointers;
  std::vector<Buffer> copies;
  uint64_t numWeightsBytes = 0;
  bool featuresPresent = true;
  ConstantResolver resolver;
  std::shared_ptr<void> owner;
};

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_PROGRAM_H
