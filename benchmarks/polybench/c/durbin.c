/* Levinson-Durbin recursion of a Toeplitz system */
#include "polybench.h"

#include <math.h>

enum { N = PB(2000, 37) };

static void init(double *r, double *y) {
  for (int i = 0; i < N; i++)
    r[i] = N + 1 - i;
}

PB_KERNEL run(double *restrict r, double *restrict y) {
  double z[N];
  double beta = 1, alpha = -r[0];
  y[0] = -r[0];
  for (int k = 1; k < N; k++) {
    beta = (1 - alpha * alpha) * beta;
    double sum = 0;
    for (int i = 0; i < k; i++)
      sum += r[k - i - 1] * y[i];
    alpha = -(r[k] + sum) / beta;
    for (int i = 0; i < k; i++)
      z[i] = y[i] + alpha * y[k - i - 1];
    for (int i = 0; i < k; i++)
      y[i] = z[i];
    y[k] = alpha;
  }
}

/* T y = -r, T symmetric with 1 on its diagonal and r beside it. These values
 * make errors of y grow with N, the order of a sum included; the equations hold
 * all the same. */
static double residual(void *const *before, void *const *after) {
  double *r = before[0], *y = after[1];
  double worst = 0;
  for (int i = 0; i < N; i++) {
    double sum = r[i], size = fabs(r[i]);
    for (int j = 0; j < N; j++) {
      double t = i == j ? 1 : r[(i > j ? i - j : j - i) - 1];
      sum += t * y[j];
      size += fabs(t * y[j]);
    }
    double error = fabs(sum) / size;
    if (!(error <= worst))
      worst = isnan(error) ? INFINITY : error;
  }
  return worst;
}

PB_ENTRY(PB_2)
const pb_kernel pb_durbin = {"durbin", {N},     {{"r", 8, {N}}, {"y", 8, {N}}},
                             init_all, run_all, residual};
