//===- Features.cpp - The feature and target tables -----------------------===//
//
// Adding a feature or a named target is adding a row here. Names are LLVM's.
// A feature that no generated code can use has no row, so artefacts do not
// ask for more than they need.
//
//===----------------------------------------------------------------------===//
#include "Tables.h"

using namespace nestor;

static constexpr Feature features[] = {
    // x86-64-v2
    {"cx16", Arch::X86_64, "", 0, 0},
    {"sahf", Arch::X86_64, "", 0, 0},
    {"sse3", Arch::X86_64, "", 0, 0},
    {"ssse3", Arch::X86_64, "sse3", 0, 0},
    {"sse4.1", Arch::X86_64, "ssse3", 0, 0},
    {"sse4.2", Arch::X86_64, "sse4.1", 0, 0},
    {"popcnt", Arch::X86_64, "", 0, 0},
    // x86-64-v3
    {"avx", Arch::X86_64, "sse4.2", 256, 16},
    {"avx2", Arch::X86_64, "avx", 256, 16},
    {"fma", Arch::X86_64, "avx", 0, 0},
    {"f16c", Arch::X86_64, "avx", 0, 0},
    {"bmi", Arch::X86_64, "", 0, 0},
    {"bmi2", Arch::X86_64, "", 0, 0},
    {"lzcnt", Arch::X86_64, "", 0, 0},
    {"movbe", Arch::X86_64, "", 0, 0},
    // x86-64-v4
    {"avx512f", Arch::X86_64, "avx2,fma,f16c", 512, 32},
    {"avx512bw", Arch::X86_64, "avx512f", 0, 0},
    {"avx512cd", Arch::X86_64, "avx512f", 0, 0},
    {"avx512dq", Arch::X86_64, "avx512f", 0, 0},
    {"avx512vl", Arch::X86_64, "avx512f", 0, 0},
    // Beyond the levels
    {"avx512vnni", Arch::X86_64, "avx512f", 0, 0},
    {"avx512bf16", Arch::X86_64, "avx512bw", 0, 0},
    {"avx512fp16", Arch::X86_64, "avx512bw,avx512dq,avx512vl", 0, 0},
    {"avx512vbmi", Arch::X86_64, "avx512bw", 0, 0},
    {"avxvnni", Arch::X86_64, "avx2", 0, 0},
    {"amx-tile", Arch::X86_64, "", 0, 0},
    {"amx-int8", Arch::X86_64, "amx-tile", 0, 0},
    {"amx-bf16", Arch::X86_64, "amx-tile", 0, 0},
    {"amx-fp16", Arch::X86_64, "amx-tile", 0, 0},
    // AArch64
    {"neon", Arch::AArch64, "", 128, 32},
    {"fullfp16", Arch::AArch64, "neon", 0, 0},
    {"dotprod", Arch::AArch64, "neon", 0, 0},
    {"i8mm", Arch::AArch64, "neon", 0, 0},
    {"bf16", Arch::AArch64, "neon", 0, 0},
    {"lse", Arch::AArch64, "", 0, 0},
};

#define V2 "cx16,sahf,sse4.2,popcnt"
#define V3 V2 ",avx2,fma,f16c,bmi,bmi2,lzcnt,movbe"
#define V4 V3 ",avx512bw,avx512cd,avx512dq,avx512vl"
#define KB << 10
#define MB << 20

static constexpr KnownTarget targets[] = {
    // name, arch, LLVM cpu, features, L1, L2, L3
    {"x86-64-v2", Arch::X86_64, "x86-64-v2", V2, 32 KB, 256 KB, 8 MB},
    {"x86-64-v3", Arch::X86_64, "x86-64-v3", V3, 32 KB, 512 KB, 16 MB},
    {"x86-64-v4", Arch::X86_64, "x86-64-v4", V4, 32 KB, 1 MB, 16 MB},
    {"haswell", Arch::X86_64, "x86-64-v3", V3, 32 KB, 256 KB, 8 MB},
    {"znver3", Arch::X86_64, "x86-64-v3", V3, 32 KB, 512 KB, 32 MB},
    {"alderlake", Arch::X86_64, "x86-64-v3", V3 ",avxvnni", 48 KB, 1280 KB,
     30 MB},
    {"skylake-avx512", Arch::X86_64, "x86-64-v4", V4, 32 KB, 1 MB, 16 MB},
    {"cascadelake", Arch::X86_64, "x86-64-v4", V4 ",avx512vnni", 32 KB, 1 MB,
     16 MB},
    {"icelake-server", Arch::X86_64, "x86-64-v4", V4 ",avx512vnni,avx512vbmi",
     48 KB, 1280 KB, 32 MB},
    {"sapphirerapids", Arch::X86_64, "x86-64-v4",
     V4 ",avx512vnni,avx512vbmi,avx512bf16,avx512fp16,avxvnni,amx-int8,"
        "amx-bf16",
     48 KB, 2 MB, 64 MB},
    {"znver4", Arch::X86_64, "x86-64-v4",
     V4 ",avx512vnni,avx512vbmi,avx512bf16", 32 KB, 1 MB, 32 MB},
    {"znver5", Arch::X86_64, "x86-64-v4",
     V4 ",avx512vnni,avx512vbmi,avx512bf16,avxvnni", 48 KB, 1 MB, 32 MB},
    {"armv8-a", Arch::AArch64, "generic", "neon", 64 KB, 512 KB, 8 MB},
    {"armv8.2-a", Arch::AArch64, "generic", "neon,lse,fullfp16,dotprod", 64 KB,
     512 KB, 8 MB},
    {"armv8.6-a", Arch::AArch64, "generic",
     "neon,lse,fullfp16,dotprod,i8mm,bf16", 64 KB, 1 MB, 32 MB},
};

llvm::ArrayRef<Feature> nestor::featureTable() { return features; }
llvm::ArrayRef<KnownTarget> nestor::knownTargets() { return targets; }
llvm::StringRef nestor::levelFeatures(unsigned level) {
  return level == 4 ? V4 : level == 3 ? V3 : level == 2 ? V2 : "";
}
