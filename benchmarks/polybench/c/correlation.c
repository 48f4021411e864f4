/* corr = correlation coefficients of the columns of data */
#include "polybench.h"

#include <math.h>

enum { M = PB(1200, 29), N = PB(1400, 37) };

static void init(double data[N][M], double corr[M][M], double *mean,
                 double *stddev) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++)
      data[i][j] = (double)i * j / M + i;
}

PB_KERNEL run(double data[restrict N][M], double corr[restrict M][M],
              double *restrict mean, double *restrict stddev) {
  const double n = N, eps = 0.1;
  for (int j = 0; j < M; j++) {
    mean[j] = 0;
    for (int i = 0; i < N; i++)
      mean[j] += data[i][j];
    mean[j] /= n;
  }
  for (int j = 0; j < M; j++) {
    stddev[j] = 0;
    for (int i = 0; i < N; i++)
      stddev[j] += (data[i][j] - mean[j]) * (data[i][j] - mean[j]);
    stddev[j] = sqrt(stddev[j] / n);
    stddev[j] = stddev[j] <= eps ? 1 : stddev[j];
  }
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      data[i][j] -= mean[j];
      data[i][j] /= sqrt(n) * stddev[j];
    }
  for (int i = 0; i < M - 1; i++) {
    corr[i][i] = 1;
    for (int j = i + 1; j < M; j++) {
      corr[i][j] = 0;
      for (int k = 0; k < N; k++)
        corr[i][j] += data[k][i] * data[k][j];
      corr[j][i] = corr[i][j];
    }
  }
  corr[M - 1][M - 1] = 1;
}

PB_ENTRY(PB_4)
const pb_kernel pb_correlation = {"correlation",
                                  {M, N},
                                  {{"data", 8, {N, M}},
                                   {"corr", 8, {M, M}},
                                   {"mean", 8, {M}},
                                   {"stddev", 8, {M}}},
                                  init_all,
                                  run_all,
                                  0};
