/* Nine-point means in place */
#include "polybench.h"

enum { N = PB(2000, 37), STEPS = PB(500, 7) };

static void init(double A[N][N]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      A[i][j] = ((double)i * (j + 2) + 2) / N;
}

PB_KERNEL run(double A[restrict N][N]) {
  for (int t = 0; t < STEPS; t++)
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        A[i][j] = (A[i - 1][j - 1] + A[i - 1][j] + A[i - 1][j + 1] +
                   A[i][j - 1] + A[i][j] + A[i][j + 1] + A[i + 1][j - 1] +
                   A[i + 1][j] + A[i + 1][j + 1]) /
                  9.0;
}

PB_ENTRY(PB_1)
const pb_kernel pb_seidel_2d = {"seidel-2d", {N, STEPS}, {{"A", 8, {N, N}}},
                                init_all,    run_all,    0};
