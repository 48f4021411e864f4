/* B = alpha A' B in place, A lower triangular with ones on its diagonal */
#include "polybench.h"

enum { M = PB(1000, 29), N = PB(1200, 37) };

static void init(double A[M][M], double B[M][N]) {
  for (int i = 0; i < M; i++) {
    for (int j = 0; j < i; j++)
      A[i][j] = (double)((i + j) % M) / M;
    A[i][i] = 1;
    for (int j = 0; j < N; j++)
      B[i][j] = (double)((N + (i - j)) % N) / N;
  }
}

PB_KERNEL run(double A[restrict M][M], double B[restrict M][N]) {
  const double alpha = 1.5;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      for (int k = i + 1; k < M; k++)
        B[i][j] += A[k][i] * B[k][j];
      B[i][j] = alpha * B[i][j];
    }
}

PB_ENTRY(PB_2)
const pb_kernel pb_trmm = {
    "trmm", {M, N}, {{"A", 8, {M, M}}, {"B", 8, {M, N}}}, init_all, run_all, 0};
