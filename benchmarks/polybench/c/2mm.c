/* D = beta D + alpha A B C */
#include "polybench.h"

enum {
  NI = PB(800, 23),
  NJ = PB(900, 29),
  NK = PB(1100, 31),
  NL = PB(1200, 37)
};

static void init(double tmp[NI][NJ], double A[NI][NK], double B[NK][NJ],
                 double C[NJ][NL], double D[NI][NL]) {
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NK; j++)
      A[i][j] = (double)((i * j + 1) % NI) / NI;
  for (int i = 0; i < NK; i++)
    for (int j = 0; j < NJ; j++)
      B[i][j] = (double)(i * (j + 1) % NJ) / NJ;
  for (int i = 0; i < NJ; i++)
    for (int j = 0; j < NL; j++)
      C[i][j] = (double)((i * (j + 3) + 1) % NL) / NL;
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NL; j++)
      D[i][j] = (double)(i * (j + 2) % NK) / NK;
}

PB_KERNEL run(double tmp[restrict NI][NJ], double A[restrict NI][NK],
              double B[restrict NK][NJ], double C[restrict NJ][NL],
              double D[restrict NI][NL]) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NJ; j++) {
      tmp[i][j] = 0;
      for (int k = 0; k < NK; k++)
        tmp[i][j] += alpha * A[i][k] * B[k][j];
    }
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NL; j++) {
      D[i][j] *= beta;
      for (int k = 0; k < NJ; k++)
        D[i][j] += tmp[i][k] * C[k][j];
    }
}

PB_ENTRY(PB_5)
const pb_kernel pb_2mm = {"2mm",
                          {NI, NJ, NK, NL},
                          {{"tmp", 8, {NI, NJ}},
                           {"A", 8, {NI, NK}},
                           {"B", 8, {NK, NJ}},
                           {"C", 8, {NJ, NL}},
                           {"D", 8, {NI, NL}}},
                          init_all,
                          run_all,
                          0};
