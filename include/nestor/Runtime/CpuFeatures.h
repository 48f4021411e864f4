//===- CpuFeatures.h - What this CPU can do ---------------------*- C++ -*-===//
//
// Decides, before any code of an artefact runs, whether this CPU has what the
// artefact needs. Names are LLVM's ("avx512vnni"). A feature counts only when
// the operating system also saves its registers (XCR0 on x86).
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_RUNTIME_CPUFEATURES_H
#define NESTOR_RUNTIME_CPUFEATURES_H

#include "nestor/Runtime/Status.h"

#include <string>
#include <string_view>
#include <vector>

namespace nestor::rt {

/// The known features that this CPU has, in table order.
const std::vector<std::string_view> &hostFeatures();

/// Every feature name that this runtime can judge on this architecture.
std::vector<std::string_view> knownFeatures();

/// "x86-64" or "aarch64".
const char *hostArch();

/// The CPU's own name for itself, for people only ("AMD EPYC ...").
std::string hostCpuName();

/// Ok when this CPU has all of the comma separated `features` ("+avx2,fma");
/// else Code::TargetMissing with a text naming what is missing.
Status requireFeatures(std::string_view features);

/// Asks the kernel once per process for AMX tile state; needed before the
/// first tile instruction. Ok when granted.
Status requestAmx();

} // namespace nestor::rt

#endif // NESTOR_RUNTIME_CPUFEATURES_H
