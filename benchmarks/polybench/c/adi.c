/* Heat in a square by alternating directions: columns into v, rows back to u */
#include "polybench.h"

enum { N = PB(1000, 37), STEPS = PB(500, 5) };

static void init(double u[N][N], double v[N][N], double p[N][N],
                 double q[N][N]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      u[i][j] = (double)(i + N - j) / N;
}

PB_KERNEL run(double u[restrict N][N], double v[restrict N][N],
              double p[restrict N][N], double q[restrict N][N]) {
  const double dx = 1.0 / N, dy = 1.0 / N, dt = 1.0 / STEPS;
  const double m = 2.0 * dt / (dx * dx), l = 1.0 * dt / (dy * dy);
  const double a = -m / 2, b = 1 + m, c = a, d = -l / 2, e = 1 + l, f = d;
  for (int t = 0; t < STEPS; t++) {
    for (int i = 1; i < N - 1; i++) {
      v[0][i] = 1;
      p[i][0] = 0;
      q[i][0] = v[0][i];
      for (int j = 1; j < N - 1; j++) {
        p[i][j] = -c / (a * p[i][j - 1] + b);
        q[i][j] = (-d * u[j][i - 1] + (1 + 2 * d) * u[j][i] - f * u[j][i + 1] -
                   a * q[i][j - 1]) /
                  (a * p[i][j - 1] + b);
      }
      v[N - 1][i] = 1;
      for (int j = N - 2; j >= 1; j--)
        v[j][i] = p[i][j] * v[j + 1][i] + q[i][j];
    }
    for (int i = 1; i < N - 1; i++) {
      u[i][0] = 1;
      p[i][0] = 0;
      q[i][0] = u[i][0];
      for (int j = 1; j < N - 1; j++) {
        p[i][j] = -f / (d * p[i][j - 1] + e);
        q[i][j] = (-a * v[i - 1][j] + (1 + 2 * a) * v[i][j] - c * v[i + 1][j] -
                   d * q[i][j - 1]) /
                  (d * p[i][j - 1] + e);
      }
      u[i][N - 1] = 1;
      for (int j = N - 2; j >= 1; j--)
        u[i][j] = p[i][j] * u[i][j + 1] + q[i][j];
    }
  }
}

PB_ENTRY(PB_4)
const pb_kernel pb_adi = {
    "adi",
    {N, STEPS},
    {{"u", 8, {N, N}}, {"v", 8, {N, N}}, {"p", 8, {N, N}}, {"q", 8, {N, N}}},
    init_all,
    run_all,
    0};
