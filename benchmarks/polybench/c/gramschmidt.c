/* A = Q R by modified Gram-Schmidt; A is spent */
#include "polybench.h"

#include <math.h>

enum { M = PB(1000, 31), N = PB(1200, 37) };

static void init(double A[M][N], double R[N][N], double Q[M][N]) {
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++)
      A[i][j] = (double)(i * j % M) / M * 100 + 10;
}

PB_KERNEL run(double A[restrict M][N], double R[restrict N][N],
              double Q[restrict M][N]) {
  for (int k = 0; k < N; k++) {
    double norm = 0;
    for (int i = 0; i < M; i++)
      norm += A[i][k] * A[i][k];
    R[k][k] = sqrt(norm);
    for (int i = 0; i < M; i++)
      Q[i][k] = A[i][k] / R[k][k];
    for (int j = k + 1; j < N; j++) {
      R[k][j] = 0;
      for (int i = 0; i < M; i++)
        R[k][j] += Q[i][k] * A[i][j];
      for (int i = 0; i < M; i++)
        A[i][j] = A[i][j] - Q[i][k] * R[k][j];
    }
  }
}

/* The columns of A depend on each other: what is left of the dependent ones is
 * rounding, and Q has directions of it. Q R = A holds all the same. */
static double residual(void *const *before, void *const *after) {
  double (*A)[N] = before[0], (*R)[N] = after[1], (*Q)[N] = after[2];
  double worst = 0;
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) {
      double sum = 0;
      for (int k = 0; k <= j; k++)
        sum += Q[i][k] * R[k][j];
      double error = fabs(sum - A[i][j]) / 110;
      if (!(error <= worst))
        worst = isnan(error) ? INFINITY : error;
    }
  return worst;
}

PB_ENTRY(PB_3)
const pb_kernel pb_gramschmidt = {
    "gramschmidt",
    {M, N},
    {{"A", 8, {M, N}}, {"R", 8, {N, N}}, {"Q", 8, {M, N}}},
    init_all,
    run_all,
    residual};
