/* C = beta C + alpha A B, A symmetric, of which the lower triangle is stored */
#include "polybench.h"

enum { M = PB(1000, 29), N = PB(1200, 37) };

static void init(double C[M][N], double A[M][M], double B[M][N]) {
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      C[i][j] = (double)((i + j) % 100) / M;
      B[i][j] = (double)((N + i - j) % 100) / M;
    }
  for (int i = 0; i < M; i++)
    for (int j = 0; j < M; j++)
      A[i][j] = j <= i ? (double)((i + j) % 100) / M : -999;
}

PB_KERNEL run(double C[restrict M][N], double A[restrict M][M],
              double B[restrict M][N]) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k < i; k++) {
        C[k][j] += alpha * B[i][j] * A[i][k];
        sum += B[k][j] * A[i][k];
      }
      C[i][j] = beta * C[i][j] + alpha * B[i][j] * A[i][i] + alpha * sum;
    }
}

PB_ENTRY(PB_3)
const pb_kernel pb_symm = {
    "symm",   {M, N},  {{"C", 8, {M, N}}, {"A", 8, {M, M}}, {"B", 8, {M, N}}},
    init_all, run_all, 0};
