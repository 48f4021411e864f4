/* Maxwell's equations in two dimensions: two electric fields, one magnetic */
#include "polybench.h"

enum { STEPS = PB(500, 5), NX = PB(1000, 29), NY = PB(1200, 37) };

static void init(double ex[NX][NY], double ey[NX][NY], double hz[NX][NY],
                 double *fict) {
  for (int t = 0; t < STEPS; t++)
    fict[t] = t;
  for (int i = 0; i < NX; i++)
    for (int j = 0; j < NY; j++) {
      ex[i][j] = (double)i * (j + 1) / NX;
      ey[i][j] = (double)i * (j + 2) / NY;
      hz[i][j] = (double)i * (j + 3) / NX;
    }
}

PB_KERNEL run(double ex[restrict NX][NY], double ey[restrict NX][NY],
              double hz[restrict NX][NY], double *restrict fict) {
  for (int t = 0; t < STEPS; t++) {
    for (int j = 0; j < NY; j++)
      ey[0][j] = fict[t];
    for (int i = 1; i < NX; i++)
      for (int j = 0; j < NY; j++)
        ey[i][j] = ey[i][j] - 0.5 * (hz[i][j] - hz[i - 1][j]);
    for (int i = 0; i < NX; i++)
      for (int j = 1; j < NY; j++)
        ex[i][j] = ex[i][j] - 0.5 * (hz[i][j] - hz[i][j - 1]);
    for (int i = 0; i < NX - 1; i++)
      for (int j = 0; j < NY - 1; j++)
        hz[i][j] = hz[i][j] -
                   0.7 * (ex[i][j + 1] - ex[i][j] + ey[i + 1][j] - ey[i][j]);
  }
}

PB_ENTRY(PB_4)
const pb_kernel pb_fdtd_2d = {"fdtd-2d",
                              {STEPS, NX, NY},
                              {{"ex", 8, {NX, NY}},
                               {"ey", 8, {NX, NY}},
                               {"hz", 8, {NX, NY}},
                               {"fict", 8, {STEPS}}},
                              init_all,
                              run_all,
                              0};
