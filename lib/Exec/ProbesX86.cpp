//===- ProbesX86.cpp - Probes for x86-64 ----------------------------------===//
//
// See the header. Independent chains hide an operation's latency: 12 of them
// keep two units of latency 4 to 6 busy, and with their factors they fit 16
// registers; 24 where there are 32. The factors are 0, whose speed is that of
// any normal number.
//
//===----------------------------------------------------------------------===//
#if defined(__x86_64__)
#include "Probes.h"

using namespace nestor::probes;

#define LOW_VECTORS                                                            \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",      \
      "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

// Registers 14 and 15 are the factors. Vectors from 16 on are never in use
// here, so they need no mention.
#define OP4(OP, R, A, B, C, D)                                                 \
  OP " %%" R "14, %%" R "15, %%" R #A "\n" OP " %%" R "14, %%" R "15, %%" R #B \
     "\n" OP " %%" R "14, %%" R "15, %%" R #C "\n" OP " %%" R "14, %%" R       \
     "15, %%" R #D "\n"
#define OP12(OP, R)                                                            \
  OP4(OP, R, 0, 1, 2, 3) OP4(OP, R, 4, 5, 6, 7) OP4(OP, R, 8, 9, 10, 11)
#define OP24(OP, R)                                                            \
  OP12(OP, R)                                                                  \
  OP4(OP, R, 16, 17, 18, 19)                                                   \
  OP4(OP, R, 20, 21, 22, 23) OP4(OP, R, 24, 25, 26, 27)

#define VECTOR_LOOP(NAME, BODY)                                                \
  static void NAME(int64_t steps) {                                            \
    asm volatile("vzeroall\n"                                                  \
                 "1:\n" BODY "dec %0\n"                                        \
                 "jnz 1b\n"                                                    \
                 "vzeroupper\n"                                                \
                 : "+r"(steps)                                                 \
                 :                                                             \
                 : "cc", LOW_VECTORS);                                         \
  }

VECTOR_LOOP(fma256, OP12("vfmadd231ps", "ymm"))
VECTOR_LOOP(fma512, OP24("vfmadd231ps", "zmm"))
VECTOR_LOOP(bf16Dot512, OP24("vdpbf16ps", "zmm"))
VECTOR_LOOP(int8Dot512, OP24("vpdpbusd", "zmm"))
VECTOR_LOOP(int8Dot256, OP12("%{vex%} vpdpbusd", "ymm"))

// Bytes widened to 16 bits are multiplied in pairs and then added.
#define PAIR(R, A)                                                             \
  "vpmaddwd %%" R "14, %%" R "15, %%" R "13\n"                                 \
  "vpaddd %%" R "13, %%" R #A ", %%" R #A "\n"
#define PAIR4(R, A, B, C, D) PAIR(R, A) PAIR(R, B) PAIR(R, C) PAIR(R, D)
#define PAIR12(R)                                                              \
  PAIR4(R, 0, 1, 2, 3) PAIR4(R, 4, 5, 6, 7) PAIR4(R, 8, 9, 10, 11)
VECTOR_LOOP(pairs256, PAIR12("ymm"))
VECTOR_LOOP(pairs512, PAIR12("zmm"))

#define FMA_CHAIN "vfmadd231ps %%ymm14, %%ymm15, %%ymm0\n"
#define FMA_CHAIN4 FMA_CHAIN FMA_CHAIN FMA_CHAIN FMA_CHAIN
VECTOR_LOOP(fmaChain, FMA_CHAIN4 FMA_CHAIN4 FMA_CHAIN4)

/// Palette 1: eight tiles of 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Four accumulators, as a register tile of two by two has.
#define TILE_LOOP(NAME, OP)                                                    \
  static void NAME(int64_t steps) {                                            \
    TileConfig config;                                                         \
    asm volatile("ldtilecfg %1\n"                                              \
                 "tilezero %%tmm0\ntilezero %%tmm1\ntilezero %%tmm2\n"         \
                 "tilezero %%tmm3\ntilezero %%tmm4\ntilezero %%tmm5\n"         \
                 "tilezero %%tmm6\ntilezero %%tmm7\n"                          \
                 "1:\n" OP " %%tmm6, %%tmm4, %%tmm0\n" OP                      \
                 " %%tmm7, %%tmm4, %%tmm1\n" OP " %%tmm6, %%tmm5, %%tmm2\n" OP \
                 " %%tmm7, %%tmm5, %%tmm3\n"                                   \
                 "dec %0\n"                                                    \
                 "jnz 1b\n"                                                    \
                 "tilerelease\n"                                               \
                 : "+r"(steps)                                                 \
                 : "m"(config)                                                 \
                 : "cc");                                                      \
  }
TILE_LOOP(bf16Tile, "tdpbf16ps")
TILE_LOOP(int8Tile, "tdpbssd")

const Arithmetic nestor::probes::fmaProbes[] = {
    {"avx512f", fma512, 24 * 16}, {"fma", fma256, 12 * 8}, {"", nullptr, 0}};
const Arithmetic nestor::probes::bf16DotProbes[] = {
    {"avx512bf16", bf16Dot512, 24 * 32}, {"", nullptr, 0}};
const Arithmetic nestor::probes::int8DotProbes[] = {
    {"avx512vnni", int8Dot512, 24 * 64},
    {"avxvnni", int8Dot256, 12 * 32},
    {"avx512bw", pairs512, 12 * 32},
    {"avx2", pairs256, 12 * 16},
    {"", nullptr, 0}};
const Arithmetic nestor::probes::bf16TileProbes[] = {
    {"amx-bf16", bf16Tile, 4 * 16 * 16 * 32, true}, {"", nullptr, 0}};
const Arithmetic nestor::probes::int8TileProbes[] = {
    {"amx-int8", int8Tile, 4 * 16 * 16 * 64, true}, {"", nullptr, 0}};

Loop nestor::probes::latencyChain(bool fma) { return fma ? fmaChain : nullptr; }

// Additions of constants may be folded away by the CPU, this may not.
#define XOR "xor %1, %2\n"
#define XOR8 XOR XOR XOR XOR XOR XOR XOR XOR
void nestor::probes::clockChain(int64_t steps) {
  uint64_t a = 1, b = 2;
  asm volatile("1:\n" XOR8 XOR8 XOR8 XOR8 "dec %0\n"
               "jnz 1b\n"
               : "+r"(steps), "+r"(a), "+r"(b)
               :
               : "cc");
}

#define READ(OP, R, OFFSET, N) OP " " OFFSET "(%0), %%" R #N "\n"
#define READ8(OP, R, A, B, C, D, E, F, G, H)                                   \
  READ(OP, R, A, 0)                                                            \
  READ(OP, R, B, 1)                                                            \
  READ(OP, R, C, 2)                                                            \
  READ(OP, R, D, 3)                                                            \
  READ(OP, R, E, 4) READ(OP, R, F, 5) READ(OP, R, G, 6) READ(OP, R, H, 7)
#define READ_LOOP(BODY, STEP, END)                                             \
  asm volatile("1:\n" BODY "add $" STEP ", %0\n"                               \
               "cmp %1, %0\n"                                                  \
               "jb 1b\n" END                                                   \
               : "+r"(data)                                                    \
               : "r"(end)                                                      \
               : "cc", "memory", LOW_VECTORS)

void nestor::probes::readMemory(const char *data, int64_t bytes,
                                unsigned vectorBits) {
  const char *end = data + bytes;
  if (vectorBits >= 512)
    READ_LOOP(READ8("vmovaps", "zmm", "0", "64", "128", "192", "256", "320",
                    "384", "448"),
              "512", "vzeroupper\n");
  else if (vectorBits >= 256)
    READ_LOOP(READ8("vmovaps", "ymm", "0", "32", "64", "96", "128", "160",
                    "192", "224"),
              "256", "vzeroupper\n");
  else
    READ_LOOP(
        READ8("movaps", "xmm", "0", "16", "32", "48", "64", "80", "96", "112"),
        "128", "");
}

void nestor::probes::flushMemory(const char *data, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += 64)
    asm volatile("clflush (%0)" : : "r"(data + at) : "memory");
  asm volatile("mfence" : : : "memory");
}

#endif // __x86_64__
