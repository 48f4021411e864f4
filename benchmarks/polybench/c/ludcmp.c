/* A = L U in place; L y = b; U x = y */
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

static void init(double A[N][N], double *b, double *x, double *y) {
  positiveDefinite(A);
  for (int i = 0; i < N; i++)
    b[i] = (i + 1) / (double)N / 2.0 + 4;
}

PB_KERNEL run(double A[restrict N][N], double *restrict b, double *restrict x,
              double *restrict y) {
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < i; j++) {
      double w = A[i][j];
      for (int k = 0; k < j; k++)
        w -= A[i][k] * A[k][j];
      A[i][j] = w / A[j][j];
    }
    for (int j = i; j < N; j++) {
      double w = A[i][j];
      for (int k = 0; k < i; k++)
        w -= A[i][k] * A[k][j];
      A[i][j] = w;
    }
  }
  for (int i = 0; i < N; i++) {
    double w = b[i];
    for (int j = 0; j < i; j++)
      w -= A[i][j] * y[j];
    y[i] = w;
  }
  for (int i = N - 1; i >= 0; i--) {
    double w = y[i];
    for (int j = i + 1; j < N; j++)
      w -= A[i][j] * x[j];
    x[i] = w / A[i][i];
  }
}

PB_ENTRY(PB_4)
const pb_kernel pb_ludcmp = {
    "ludcmp",
    {N},
    {{"A", 8, {N, N}}, {"b", 8, {N}}, {"x", 8, {N}}, {"y", 8, {N}}},
    init_all,
    run_all,
    0};
