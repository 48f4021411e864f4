// The rate of f32 fused multiply-adds that one thread reaches here and now, by
// register-only loops in assembly, so that no compiler has a say.
//
// Independent chains hide the latency of an FMA: 12 of them keep two units of
// latency 4 to 6 busy, and with their two factors they fit 16 registers; 24
// where there are 32.
#ifndef NESTOR_BENCHMARKS_PEERS_PEAK_H
#define NESTOR_BENCHMARKS_PEERS_PEAK_H

#include <cstdint>

namespace peak {

#define CHAINS4(R, A, B, C, D)                                                 \
  "vfmadd231ps %%" R "14, %%" R "15, %%" R #A "\n"                             \
  "vfmadd231ps %%" R "14, %%" R "15, %%" R #B "\n"                             \
  "vfmadd231ps %%" R "14, %%" R "15, %%" R #C "\n"                             \
  "vfmadd231ps %%" R "14, %%" R "15, %%" R #D "\n"
#define CHAINS12(R)                                                            \
  CHAINS4(R, 0, 1, 2, 3) CHAINS4(R, 4, 5, 6, 7) CHAINS4(R, 8, 9, 10, 11)

/// Runs `steps` times 12 FMAs of 8 lanes; returns the floating-point
/// operations.
inline double runAvx2(int64_t steps) {
  int64_t left = steps;
  asm volatile("vzeroall\n"
               "1:\n" CHAINS12("ymm") "dec %0\n"
                                      "jnz 1b\n"
                                      "vzeroupper\n"
               : "+r"(left)
               :
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                 "xmm14", "xmm15");
  return 12 * 8 * 2 * static_cast<double>(steps);
}

/// Runs `steps` times 24 FMAs of 16 lanes; returns the floating-point
/// operations. Registers 16 and up are not seen by code without AVX-512.
inline double runAvx512(int64_t steps) {
  int64_t left = steps;
  asm volatile("vzeroall\n"
               "1:\n" CHAINS12("zmm") CHAINS4("zmm", 16, 17, 18, 19)
                   CHAINS4("zmm", 20, 21, 22, 23)
                       CHAINS4("zmm", 24, 25, 26, 27) "dec %0\n"
                                                      "jnz 1b\n"
                                                      "vzeroupper\n"
               : "+r"(left)
               :
               : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                 "xmm14", "xmm15");
  return 24 * 16 * 2 * static_cast<double>(steps);
}

#undef CHAINS12
#undef CHAINS4

} // namespace peak

#endif // NESTOR_BENCHMARKS_PEERS_PEAK_H
