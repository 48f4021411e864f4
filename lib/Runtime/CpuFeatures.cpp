//===- CpuFeatures.cpp - CPUID and HWCAP by LLVM's names ------------------===//

#include "nestor/Runtime/CpuFeatures.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace nestor::rt {
namespace {

#if defined(__x86_64__)

enum Register : uint8_t { EAX, EBX, ECX, EDX };
/// Register files that the operating system must save for a feature to count.
enum State : uint8_t { None = 0, Ymm = 1, Zmm = 2, Tile = 4 };

struct Row {
  const char *name;
  uint32_t leaf;
  uint32_t subleaf;
  Register reg;
  uint8_t bit;
  uint8_t state;
};

constexpr Row rows[] = {
    {"sse3", 1, 0, ECX, 0, None},
    {"pclmul", 1, 0, ECX, 1, None},
    {"ssse3", 1, 0, ECX, 9, None},
    {"fma", 1, 0, ECX, 12, Ymm},
    {"cx16", 1, 0, ECX, 13, None},
    {"sse4.1", 1, 0, ECX, 19, None},
    {"sse4.2", 1, 0, ECX, 20, None},
    {"movbe", 1, 0, ECX, 22, None},
    {"popcnt", 1, 0, ECX, 23, None},
    {"aes", 1, 0, ECX, 25, None},
    {"xsave", 1, 0, ECX, 26, None},
    {"avx", 1, 0, ECX, 28, Ymm},
    {"f16c", 1, 0, ECX, 29, Ymm},
    {"rdrnd", 1, 0, ECX, 30, None},
    {"cx8", 1, 0, EDX, 8, None},
    {"cmov", 1, 0, EDX, 15, None},
    {"mmx", 1, 0, EDX, 23, None},
    {"fxsr", 1, 0, EDX, 24, None},
    {"sse", 1, 0, EDX, 25, None},
    {"sse2", 1, 0, EDX, 26, None},
    {"fsgsbase", 7, 0, EBX, 0, None},
    {"bmi", 7, 0, EBX, 3, None},
    {"avx2", 7, 0, EBX, 5, Ymm},
    {"bmi2", 7, 0, EBX, 8, None},
    {"invpcid", 7, 0, EBX, 10, None},
    {"rdseed", 7, 0, EBX, 18, None},
    {"adx", 7, 0, EBX, 19, None},
    {"clflushopt", 7, 0, EBX, 23, None},
    {"clwb", 7, 0, EBX, 24, None},
    {"sha", 7, 0, EBX, 29, None},
    {"avx512f", 7, 0, EBX, 16, Zmm},
    {"avx512dq", 7, 0, EBX, 17, Zmm},
    {"avx512ifma", 7, 0, EBX, 21, Zmm},
    {"avx512cd", 7, 0, EBX, 28, Zmm},
    {"avx512bw", 7, 0, EBX, 30, Zmm},
    {"avx512vl", 7, 0, EBX, 31, Zmm},
    {"avx512vbmi", 7, 0, ECX, 1, Zmm},
    {"avx512vbmi2", 7, 0, ECX, 6, Zmm},
    {"gfni", 7, 0, ECX, 8, None},
    {"vaes", 7, 0, ECX, 9, Ymm},
    {"vpclmulqdq", 7, 0, ECX, 10, Ymm},
    {"avx512vnni", 7, 0, ECX, 11, Zmm},
    {"avx512bitalg", 7, 0, ECX, 12, Zmm},
    {"avx512vpopcntdq", 7, 0, ECX, 14, Zmm},
    {"rdpid", 7, 0, ECX, 22, None},
    {"cldemote", 7, 0, ECX, 25, None},
    {"movdiri", 7, 0, ECX, 27, None},
    {"movdir64b", 7, 0, ECX, 28, None},
    {"avx512vp2intersect", 7, 0, EDX, 8, Zmm},
    {"serialize", 7, 0, EDX, 14, None},
    {"amx-bf16", 7, 0, EDX, 22, Tile},
    {"avx512fp16", 7, 0, EDX, 23, Zmm},
    {"amx-tile", 7, 0, EDX, 24, Tile},
    {"amx-int8", 7, 0, EDX, 25, Tile},
    {"avxvnni", 7, 1, EAX, 4, Ymm},
    {"avx512bf16", 7, 1, EAX, 5, Zmm},
    {"amx-fp16", 7, 1, EAX, 21, Tile},
    {"avxifma", 7, 1, EAX, 23, Ymm},
    {"avxvnniint8", 7, 1, EDX, 4, Ymm},
    {"avxneconvert", 7, 1, EDX, 5, Ymm},
    {"amx-complex", 7, 1, EDX, 8, Tile},
    {"avxvnniint16", 7, 1, EDX, 10, Ymm},
    {"xsaveopt", 13, 1, EAX, 0, None},
    {"xsavec", 13, 1, EAX, 1, None},
    {"xsaves", 13, 1, EAX, 3, None},
    {"sahf", 0x80000001, 0, ECX, 0, None},
    {"lzcnt", 0x80000001, 0, ECX, 5, None},
    {"sse4a", 0x80000001, 0, ECX, 6, None},
    {"prfchw", 0x80000001, 0, ECX, 8, None},
    {"64bit", 0x80000001, 0, EDX, 29, None},
    {"clzero", 0x80000008, 0, EBX, 0, None},
    {"wbnoinvd", 0x80000008, 0, EBX, 9, None},
};

uint8_t savedState() {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 27)))
    return None;
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  uint8_t state = None;
  if ((low & 0x6) == 0x6)
    state |= Ymm;
  if ((low & 0xe6) == 0xe6)
    state |= Zmm;
  if ((low & 0x60000) == 0x60000)
    state |= Tile;
  return state;
}

bool present(const Row &row, uint8_t saved) {
  uint32_t r[4] = {0, 0, 0, 0};
  if (__get_cpuid_max(row.leaf & 0x80000000u, nullptr) < row.leaf)
    return false;
  __cpuid_count(row.leaf, row.subleaf, r[EAX], r[EBX], r[ECX], r[EDX]);
  if (row.leaf == 7 && row.subleaf == 1) {
    uint32_t top, b, c, d;
    __cpuid_count(7, 0, top, b, c, d);
    if (top < 1)
      return false;
  }
  return (r[row.reg] >> row.bit & 1) && (row.state & ~saved) == 0;
}

#elif defined(__aarch64__)

struct Row {
  const char *name;
  uint8_t word; // 0: AT_HWCAP, 1: AT_HWCAP2
  uint8_t bit;
};

// Bits of the Linux user-space interface (asm/hwcap.h), stable by contract.
constexpr Row rows[] = {
    {"fp-armv8", 0, 0},   {"neon", 0, 1},     {"aes", 0, 3},
    {"sha2", 0, 6},       {"crc", 0, 7},      {"lse", 0, 8},
    {"fullfp16", 0, 9},   {"rdm", 0, 12},     {"jsconv", 0, 13},
    {"complxnum", 0, 14}, {"rcpc", 0, 15},    {"sha3", 0, 17},
    {"sm4", 0, 19},       {"dotprod", 0, 20}, {"sve", 0, 22},
    {"fp16fml", 0, 23},   {"dit", 0, 24},     {"ssbs", 0, 28},
    {"sve2", 1, 1},       {"i8mm", 1, 13},    {"bf16", 1, 14},
    {"sme", 1, 23},
};

uint8_t savedState() { return 0; }

bool present(const Row &row, uint8_t) {
  unsigned long word = getauxval(row.word ? AT_HWCAP2 : AT_HWCAP);
  return word >> row.bit & 1;
}

#else
#error "unsupported architecture"
#endif

} // namespace

const std::vector<std::string_view> &hostFeatures() {
  static const std::vector<std::string_view> features = [] {
    std::vector<std::string_view> found;
    uint8_t saved = savedState();
    for (const Row &row : rows)
      if (present(row, saved))
        found.push_back(row.name);
    return found;
  }();
  return features;
}

std::vector<std::string_view> knownFeatures() {
  std::vector<std::string_view> names;
  for (const Row &row : rows)
    names.push_back(row.name);
  return names;
}

const char *hostArch() {
#if defined(__x86_64__)
  return "x86-64";
#else
  return "aarch64";
#endif
}

std::string hostCpuName() {
#if defined(__x86_64__)
  uint32_t words[12] = {};
  if (__get_cpuid_max(0x80000000u, nullptr) >= 0x80000004u) {
    for (uint32_t i = 0; i < 3; ++i)
      __cpuid(0x80000002u + i, words[4 * i], words[4 * i + 1], words[4 * i + 2],
              words[4 * i + 3]);
    char text[49] = {};
    memcpy(text, words, 48);
    std::string name = text;
    while (!name.empty() && name.back() == ' ')
      name.pop_back();
    size_t start = name.find_first_not_of(' ');
    if (start != std::string::npos)
      return name.substr(start);
  }
#endif
  return hostArch();
}

Status requireFeatures(std::string_view features) {
  std::string missing, unknown;
  while (!features.empty()) {
    size_t comma = features.find(',');
    std::string_view name = features.substr(0, comma);
    features = comma == std::string_view::npos ? std::string_view()
                                               : features.substr(comma + 1);
    while (!name.empty() && name.front() == ' ')
      name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ')
      name.remove_suffix(1);
    // "-x" means built without x: nothing is needed.
    if (name.empty() || name.front() == '-')
      continue;
    if (name.front() == '+')
      name.remove_prefix(1);
    bool has = false, known = false;
    for (std::string_view have : hostFeatures())
      has |= have == name;
    for (const Row &row : rows)
      known |= name == row.name;
    if (has)
      continue;
    std::string &list = known ? missing : unknown;
    if (!list.empty())
      list += ", ";
    list.append(name);
  }
  if (!missing.empty())
    return fail(Code::TargetMissing,
                "this artefact needs CPU features that this machine (%s, %s) "
                "lacks: %s; compile the model again on this machine or with a "
                "lower --target",
                hostCpuName().c_str(), hostArch(), missing.c_str());
  if (!unknown.empty())
    return fail(Code::TargetMissing,
                "this artefact needs CPU features that this runtime for %s "
                "does not know: %s; use a newer runtime or compile the model "
                "on this machine",
                hostArch(), unknown.c_str());
  return Status::success();
}

Status requestAmx() {
#if defined(__x86_64__)
  constexpr int archReqXcompPerm = 0x1023, tileData = 18;
  static const bool granted =
      syscall(SYS_arch_prctl, archReqXcompPerm, tileData) == 0;
  if (granted)
    return Status::success();
#endif
  return fail(Code::TargetMissing,
              "the operating system does not grant AMX tile registers to this "
              "process");
}

} // namespace nestor::rt
