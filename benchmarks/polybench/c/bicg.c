/* s = A' r; q = A p */
#include "polybench.h"

enum { M = PB(1900, 31), N = PB(2100, 37) };

static void init(double A[N][M], double *s, double *q, double *p, double *r) {
  for (int i = 0; i < M; i++)
    p[i] = (double)(i % M) / M;
  for (int i = 0; i < N; i++) {
    r[i] = (double)(i % N) / N;
    for (int j = 0; j < M; j++)
      A[i][j] = (double)(i * (j + 1) % N) / N;
  }
}

PB_KERNEL run(double A[restrict N][M], double *restrict s, double *restrict q,
              double *restrict p, double *restrict r) {
  for (int i = 0; i < M; i++)
    s[i] = 0;
  for (int i = 0; i < N; i++) {
    q[i] = 0;
    for (int j = 0; j < M; j++) {
      s[j] = s[j] + r[i] * A[i][j];
      q[i] = q[i] + A[i][j] * p[j];
    }
  }
}

PB_ENTRY(PB_5)
const pb_kernel pb_bicg = {"bicg",
                           {M, N},
                           {{"A", 8, {N, M}},
                            {"s", 8, {M}},
                            {"q", 8, {N}},
                            {"p", 8, {M}},
                            {"r", 8, {N}}},
                           init_all,
                           run_all,
                           0};
