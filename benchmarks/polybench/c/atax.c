/* y = A' (A x) */
#include "polybench.h"

enum { M = PB(1900, 31), N = PB(2100, 37) };

static void init(double A[M][N], double *x, double *y, double *tmp) {
  for (int i = 0; i < N; i++)
    x[i] = 1 + i / (double)N;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++)
      A[i][j] = (double)((i + j) % N) / (5 * M);
}

PB_KERNEL run(double A[restrict M][N], double *restrict x, double *restrict y,
              double *restrict tmp) {
  for (int i = 0; i < N; i++)
    y[i] = 0;
  for (int i = 0; i < M; i++) {
    tmp[i] = 0;
    for (int j = 0; j < N; j++)
      tmp[i] = tmp[i] + A[i][j] * x[j];
    for (int j = 0; j < N; j++)
      y[j] = y[j] + A[i][j] * tmp[i];
  }
}

PB_ENTRY(PB_4)
const pb_kernel pb_atax = {
    "atax",
    {M, N},
    {{"A", 8, {M, N}}, {"x", 8, {N}}, {"y", 8, {N}}, {"tmp", 8, {M}}},
    init_all,
    run_all,
    0};
