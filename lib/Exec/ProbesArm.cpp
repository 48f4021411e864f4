//===- ProbesArm.cpp - Probes for AArch64 ---------------------------------===//
//
// See the header. 24 independent chains keep four units of latency 4 to 6
// busy.
//
//===----------------------------------------------------------------------===//
#if defined(__aarch64__)
#include "Probes.h"

using namespace nestor::probes;

#define VECTORS                                                                \
  "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",    \
      "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",    \
      "v22", "v23", "v30", "v31"

#define OP(NAME, N, FROM) NAME " v" #N ".4s, v30" FROM ", v31" FROM "\n"
#define OP8(NAME, FROM, A, B, C, D, E, F, G, H)                                \
  OP(NAME, A, FROM)                                                            \
  OP(NAME, B, FROM)                                                            \
  OP(NAME, C, FROM)                                                            \
  OP(NAME, D, FROM)                                                            \
  OP(NAME, E, FROM) OP(NAME, F, FROM) OP(NAME, G, FROM) OP(NAME, H, FROM)
#define OP24(NAME, FROM)                                                       \
  OP8(NAME, FROM, 0, 1, 2, 3, 4, 5, 6, 7)                                      \
  OP8(NAME, FROM, 8, 9, 10, 11, 12, 13, 14, 15)                                \
  OP8(NAME, FROM, 16, 17, 18, 19, 20, 21, 22, 23)

#define VECTOR_LOOP(NAME, EXTENSION, BODY)                                     \
  static void NAME(int64_t steps) {                                            \
    asm volatile(EXTENSION "movi v30.4s, #0\n"                                 \
                           "movi v31.4s, #0\n"                                 \
                           "1:\n" BODY "subs %0, %0, #1\n"                     \
                           "b.ne 1b\n"                                         \
                 : "+r"(steps)                                                 \
                 :                                                             \
                 : "cc", VECTORS);                                             \
  }

VECTOR_LOOP(fma128, "", OP24("fmla", ".4s"))
VECTOR_LOOP(bf16Matmul, ".arch_extension bf16\n", OP24("bfmmla", ".8h"))
VECTOR_LOOP(int8Matmul, ".arch_extension i8mm\n", OP24("smmla", ".16b"))
VECTOR_LOOP(int8Dot, ".arch_extension dotprod\n", OP24("sdot", ".16b"))
#define FMA_CHAIN4                                                             \
  OP("fmla", 0, ".4s")                                                         \
  OP("fmla", 0, ".4s") OP("fmla", 0, ".4s") OP("fmla", 0, ".4s")
VECTOR_LOOP(fmaChain, "", FMA_CHAIN4 FMA_CHAIN4 FMA_CHAIN4)

const Arithmetic nestor::probes::fmaProbes[] = {{"neon", fma128, 24 * 4},
                                                {"", nullptr, 0}};
const Arithmetic nestor::probes::bf16DotProbes[] = {
    {"bf16", bf16Matmul, 24 * 16}, {"", nullptr, 0}};
const Arithmetic nestor::probes::int8DotProbes[] = {
    {"i8mm", int8Matmul, 24 * 32},
    {"dotprod", int8Dot, 24 * 16},
    {"", nullptr, 0}};
const Arithmetic nestor::probes::bf16TileProbes[] = {{"", nullptr, 0}};
const Arithmetic nestor::probes::int8TileProbes[] = {{"", nullptr, 0}};

Loop nestor::probes::latencyChain(bool) { return fmaChain; }

#define EOR "eor %2, %2, %1\n"
#define EOR8 EOR EOR EOR EOR EOR EOR EOR EOR
void nestor::probes::clockChain(int64_t steps) {
  uint64_t a = 1, b = 2;
  asm volatile("1:\n" EOR8 EOR8 EOR8 EOR8 "subs %0, %0, #1\n"
               "b.ne 1b\n"
               : "+r"(steps), "+r"(a), "+r"(b)
               :
               : "cc");
}

void nestor::probes::readMemory(const char *data, int64_t bytes, unsigned) {
  const char *end = data + bytes;
  asm volatile("1:\n"
               "ldp q0, q1, [%0]\n"
               "ldp q2, q3, [%0, #32]\n"
               "ldp q4, q5, [%0, #64]\n"
               "ldp q6, q7, [%0, #96]\n"
               "add %0, %0, #128\n"
               "cmp %0, %1\n"
               "b.lo 1b\n"
               : "+r"(data)
               : "r"(end)
               : "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6",
                 "v7");
}

void nestor::probes::flushMemory(const char *data, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += 64)
    asm volatile("dc civac, %0" : : "r"(data + at) : "memory");
  asm volatile("dsb sy" : : : "memory");
}

#endif // __aarch64__
