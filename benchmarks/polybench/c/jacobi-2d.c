/* A plane of five-point means, two buffers in turn */
#include "polybench.h"

enum { N = PB(1300, 37), STEPS = PB(500, 7) };

static void init(double A[N][N], double B[N][N]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      A[i][j] = ((double)i * (j + 2) + 2) / N;
      B[i][j] = ((double)i * (j + 3) + 3) / N;
    }
}

PB_KERNEL run(double A[restrict N][N], double B[restrict N][N]) {
  for (int t = 0; t < STEPS; t++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        B[i][j] = 0.2 * (A[i][j] + A[i][j - 1] + A[i][j + 1] + A[i + 1][j] +
                         A[i - 1][j]);
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        A[i][j] = 0.2 * (B[i][j] + B[i][j - 1] + B[i][j + 1] + B[i + 1][j] +
                         B[i - 1][j]);
  }
}

PB_ENTRY(PB_2)
const pb_kernel pb_jacobi_2d = {
    "jacobi-2d", {N, STEPS}, {{"A", 8, {N, N}}, {"B", 8, {N, N}}},
    init_all,    run_all,    0};
