/* The lower triangle of C = beta C + alpha A A' */
#include "polybench.h"

enum { N = PB(1200, 37), M = PB(1000, 29) };

static void init(double C[N][N], double A[N][M]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      A[i][j] = (double)((i * j + 1) % N) / N;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      C[i][j] = (double)((i * j + 2) % M) / M;
}

PB_KERNEL run(double C[restrict N][N], double A[restrict N][M]) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j <= i; j++)
      C[i][j] *= beta;
    for (int k = 0; k < M; k++)
      for (int j = 0; j <= i; j++)
        C[i][j] += alpha * A[i][k] * A[j][k];
  }
}

PB_ENTRY(PB_2)
const pb_kernel pb_syrk = {
    "syrk", {N, M}, {{"C", 8, {N, N}}, {"A", 8, {N, M}}}, init_all, run_all, 0};
