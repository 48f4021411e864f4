/* A = A + u1 v1' + u2 v2'; x = x + beta A' y + z; w = w + alpha A x */
#include "polybench.h"

enum { N = PB(2000, 37) };

static void init(double A[N][N], double *u1, double *v1, double *u2, double *v2,
                 double *w, double *x, double *y, double *z) {
  double n = N;
  for (int i = 0; i < N; i++) {
    u1[i] = i;
    u2[i] = (i + 1) / n / 2.0;
    v1[i] = (i + 1) / n / 4.0;
    v2[i] = (i + 1) / n / 6.0;
    y[i] = (i + 1) / n / 8.0;
    z[i] = (i + 1) / n / 9.0;
    w[i] = x[i] = 0;
    for (int j = 0; j < N; j++)
      A[i][j] = (double)(i * j % N) / N;
  }
}

PB_KERNEL run(double A[restrict N][N], double *restrict u1, double *restrict v1,
              double *restrict u2, double *restrict v2, double *restrict w,
              double *restrict x, double *restrict y, double *restrict z) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      A[i][j] = A[i][j] + u1[i] * v1[j] + u2[i] * v2[j];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      x[i] = x[i] + beta * A[j][i] * y[j];
  for (int i = 0; i < N; i++)
    x[i] = x[i] + z[i];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      w[i] = w[i] + alpha * A[i][j] * x[j];
}

PB_ENTRY(PB_9)
const pb_kernel pb_gemver = {"gemver",
                             {N},
                             {{"A", 8, {N, N}},
                              {"u1", 8, {N}},
                              {"v1", 8, {N}},
                              {"u2", 8, {N}},
                              {"v2", 8, {N}},
                              {"w", 8, {N}},
                              {"x", 8, {N}},
                              {"y", 8, {N}},
                              {"z", 8, {N}}},
                             init_all,
                             run_all,
                             0};
