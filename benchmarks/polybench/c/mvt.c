/* x1 = x1 + A y1; x2 = x2 + A' y2 */
#include "polybench.h"

enum { N = PB(2000, 37) };

static void init(double *x1, double *x2, double *y1, double *y2,
                 double A[N][N]) {
  for (int i = 0; i < N; i++) {
    x1[i] = (double)(i % N) / N;
    x2[i] = (double)((i + 1) % N) / N;
    y1[i] = (double)((i + 3) % N) / N;
    y2[i] = (double)((i + 4) % N) / N;
    for (int j = 0; j < N; j++)
      A[i][j] = (double)(i * j % N) / N;
  }
}

PB_KERNEL run(double *restrict x1, double *restrict x2, double *restrict y1,
              double *restrict y2, double A[restrict N][N]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      x1[i] = x1[i] + A[i][j] * y1[j];
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      x2[i] = x2[i] + A[j][i] * y2[j];
}

PB_ENTRY(PB_5)
const pb_kernel pb_mvt = {"mvt",
                          {N},
                          {{"x1", 8, {N}},
                           {"x2", 8, {N}},
                           {"y1", 8, {N}},
                           {"y2", 8, {N}},
                           {"A", 8, {N, N}}},
                          init_all,
                          run_all,
                          0};
