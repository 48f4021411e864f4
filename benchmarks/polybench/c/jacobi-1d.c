/* A row of three-point means, two buffers in turn */
#include "polybench.h"

enum { N = PB(2000, 37), STEPS = PB(500, 7) };

static void init(double *A, double *B) {
  for (int i = 0; i < N; i++) {
    A[i] = ((double)i + 2) / N;
    B[i] = ((double)i + 3) / N;
  }
}

PB_KERNEL run(double *restrict A, double *restrict B) {
  for (int t = 0; t < STEPS; t++) {
    for (int i = 1; i < N - 1; i++)
      B[i] = 0.33333 * (A[i - 1] + A[i] + A[i + 1]);
    for (int i = 1; i < N - 1; i++)
      A[i] = 0.33333 * (B[i - 1] + B[i] + B[i + 1]);
  }
}

PB_ENTRY(PB_2)
const pb_kernel pb_jacobi_1d = {
    "jacobi-1d", {N, STEPS}, {{"A", 8, {N}}, {"B", 8, {N}}},
    init_all,    run_all,    0};
