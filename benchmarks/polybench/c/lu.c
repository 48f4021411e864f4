/* A = L U in place */
#include "polybench.h"

enum { N = PB(2000, 37) };

/* T T' for T[i][j] = 1 - j / n below a diagonal of ones. Row s of T ends at s,
 * so an element's sum has a common beginning: `sum` at step s. */
static void positiveDefinite(double A[N][N]) {
  double sum = 0;
  for (int s = 0; s < N; s++) {
    double t = (double)(-s % N) / N + 1;
    for (int r = s; r < N; r++)
      A[r][s] = A[s][r] = sum + (s < r ? t : 1);
    sum += t * t;
  }
}

static void init(double A[N][N]) { positiveDefinite(A); }

PB_KERNEL run(double A[restrict N][N]) {
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < i; j++) {
      for (int k = 0; k < j; k++)
        A[i][j] -= A[i][k] * A[k][j];
      A[i][j] /= A[j][j];
    }
    for (int j = i; j < N; j++)
      for (int k = 0; k < i; k++)
        A[i][j] -= A[i][k] * A[k][j];
  }
}

PB_ENTRY(PB_1)
const pb_kernel pb_lu = {"lu", {N}, {{"A", 8, {N, N}}}, init_all, run_all, 0};
