/* The lower triangle of C = beta C + alpha (A B' + B A') */
#include "polybench.h"

enum { N = PB(1200, 37), M = PB(1000, 29) };

static void init(double C[N][N], double A[N][M], double B[N][M]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      A[i][j] = (double)((i * j + 1) % N) / N;
      B[i][j] = (double)((i * j + 2) % M) / M;
    }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      C[i][j] = (double)((i * j + 3) % N) / M;
}

PB_KERNEL run(double C[restrict N][N], double A[restrict N][M],
              double B[restrict N][M]) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j <= i; j++)
      C[i][j] *= beta;
    for (int k = 0; k < M; k++)
      for (int j = 0; j <= i; j++)
        C[i][j] += A[j][k] * alpha * B[i][k] + B[j][k] * alpha * A[i][k];
  }
}

PB_ENTRY(PB_3)
const pb_kernel pb_syr2k = {
    "syr2k",  {N, M},  {{"C", 8, {N, N}}, {"A", 8, {N, M}}, {"B", 8, {N, M}}},
    init_all, run_all, 0};
