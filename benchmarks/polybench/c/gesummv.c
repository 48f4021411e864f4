/* y = alpha A x + beta B x */
#include "polybench.h"

enum { N = PB(1300, 37) };

static void init(double A[N][N], double B[N][N], double *tmp, double *x,
                 double *y) {
  for (int i = 0; i < N; i++) {
    x[i] = (double)(i % N) / N;
    for (int j = 0; j < N; j++) {
      A[i][j] = (double)((i * j + 1) % N) / N;
      B[i][j] = (double)((i * j + 2) % N) / N;
    }
  }
}

PB_KERNEL run(double A[restrict N][N], double B[restrict N][N],
              double *restrict tmp, double *restrict x, double *restrict y) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < N; i++) {
    tmp[i] = 0;
    y[i] = 0;
    for (int j = 0; j < N; j++) {
      tmp[i] = A[i][j] * x[j] + tmp[i];
      y[i] = B[i][j] * x[j] + y[i];
    }
    y[i] = alpha * tmp[i] + beta * y[i];
  }
}

PB_ENTRY(PB_5)
const pb_kernel pb_gesummv = {"gesummv",
                              {N},
                              {{"A", 8, {N, N}},
                               {"B", 8, {N, N}},
                               {"tmp", 8, {N}},
                               {"x", 8, {N}},
                               {"y", 8, {N}}},
                              init_all,
                              run_all,
                              0};
