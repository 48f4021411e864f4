/* cov = (data - mean)' (data - mean) / (n - 1) */
#include "polybench.h"

enum { M = PB(1200, 29), N = PB(1400, 37) };

static void init(double data[N][M], double cov[M][M], double *mean) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      data[i][j] = (double)i * j / M;
}

PB_KERNEL run(double data[restrict N][M], double cov[restrict M][M],
              double *restrict mean) {
  const double n = N;
  for (int j = 0; j < M; j++) {
    mean[j] = 0;
    for (int i = 0; i < N; i++)
      mean[j] += data[i][j];
    mean[j] /= n;
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      data[i][j] -= mean[j];
  for (int i = 0; i < M; i++)
    for (int j = i; j < M; j++) {
      cov[i][j] = 0;
      for (int k = 0; k < N; k++)
        cov[i][j] += data[k][i] * data[k][j];
      cov[i][j] /= n - 1;
      cov[j][i] = cov[i][j];
    }
}

PB_ENTRY(PB_3)
const pb_kernel pb_covariance = {
    "covariance",
    {M, N},
    {{"data", 8, {N, M}}, {"cov", 8, {M, M}}, {"mean", 8, {M}}},
    init_all,
    run_all,
    0};
