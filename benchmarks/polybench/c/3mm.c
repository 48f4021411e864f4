/* G = (A B) (C D) */
#include "polybench.h"

enum {
  NI = PB(800, 23),
  NJ = PB(900, 29),
  NK = PB(1000, 31),
  NL = PB(1100, 37),
  NM = PB(1200, 19)
};

static void init(double E[NI][NJ], double A[NI][NK], double B[NK][NJ],
                 double F[NJ][NL], double C[NJ][NM], double D[NM][NL],
                 double G[NI][NL]) {
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NK; j++)
      A[i][j] = (double)((i * j + 1) % NI) / (5 * NI);
  for (int i = 0; i < NK; i++)
    for (int j = 0; j < NJ; j++)
      B[i][j] = (double)((i * (j + 1) + 2) % NJ) / (5 * NJ);
  for (int i = 0; i < NJ; i++)
    for (int j = 0; j < NM; j++)
      C[i][j] = (double)(i * (j + 3) % NL) / (5 * NL);
  for (int i = 0; i < NM; i++)
    for (int j = 0; j < NL; j++)
      D[i][j] = (double)((i * (j + 2) + 2) % NK) / (5 * NK);
}

PB_KERNEL run(double E[restrict NI][NJ], double A[restrict NI][NK],
              double B[restrict NK][NJ], double F[restrict NJ][NL],
              double C[restrict NJ][NM], double D[restrict NM][NL],
              double G[restrict NI][NL]) {
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NJ; j++) {
      E[i][j] = 0;
      for (int k = 0; k < NK; k++)
        E[i][j] += A[i][k] * B[k][j];
    }
  for (int i = 0; i < NJ; i++)
    for (int j = 0; j < NL; j++) {
      F[i][j] = 0;
      for (int k = 0; k < NM; k++)
        F[i][j] += C[i][k] * D[k][j];
    }
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NL; j++) {
      G[i][j] = 0;
      for (int k = 0; k < NJ; k++)
        G[i][j] += E[i][k] * F[k][j];
    }
}

PB_ENTRY(PB_7)
const pb_kernel pb_3mm = {"3mm",
                          {NI, NJ, NK, NL, NM},
                          {{"E", 8, {NI, NJ}},
                           {"A", 8, {NI, NK}},
                           {"B", 8, {NK, NJ}},
                           {"F", 8, {NJ, NL}},
                           {"C", 8, {NJ, NM}},
                           {"D", 8, {NM, NL}},
                           {"G", 8, {NI, NL}}},
                          init_all,
                          run_all,
                          0};
