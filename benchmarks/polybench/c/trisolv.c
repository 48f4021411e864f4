/* L x = b, L lower triangular */
#include "polybench.h"

enum { N = PB(2000, 37) };

static void init(double L[N][N], double *x, double *b) {
  for (int i = 0; i < N; i++) {
    x[i] = -999;
    b[i] = i;
    for (int j = 0; j <= i; j++)
      L[i][j] = (double)(i + N - j + 1) * 2 / N;
  }
}

PB_KERNEL run(double L[restrict N][N], double *restrict x, double *restrict b) {
  for (int i = 0; i < N; i++) {
    x[i] = b[i];
    for (int j = 0; j < i; j++)
      x[i] -= L[i][j] * x[j];
    x[i] = x[i] / L[i][i];
  }
}

PB_ENTRY(PB_3)
const pb_kernel pb_trisolv = {
    "trisolv", {N},     {{"L", 8, {N, N}}, {"x", 8, {N}}, {"b", 8, {N}}},
    init_all,  run_all, 0};
