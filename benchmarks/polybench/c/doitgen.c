/* A[r, q, :] = A[r, q, :] C4 */
#include "polybench.h"

enum { NR = PB(150, 7), NQ = PB(140, 5), NP = PB(160, 37) };

static void init(double A[NR][NQ][NP], double C4[NP][NP]) {
  for (int i = 0; i < NR; i++)
    for (int j = 0; j < NQ; j++)
      for (int k = 0; k < NP; k++)
        A[i][j][k] = (double)((i * j + k) % NP) / NP;
  for (int i = 0; i < NP; i++)
    for (int j = 0; j < NP; j++)
      C4[i][j] = (double)(i * j % NP) / NP;
}

PB_KERNEL run(double A[restrict NR][NQ][NP], double C4[restrict NP][NP]) {
  double sum[NP];
  for (int r = 0; r < NR; r++)
    for (int q = 0; q < NQ; q++) {
      for (int p = 0; p < NP; p++) {
        sum[p] = 0;
        for (int s = 0; s < NP; s++)
          sum[p] += A[r][q][s] * C4[s][p];
      }
      for (int p = 0; p < NP; p++)
        A[r][q][p] = sum[p];
    }
}

PB_ENTRY(PB_2)
const pb_kernel pb_doitgen = {
    "doitgen", {NR, NQ, NP}, {{"A", 8, {NR, NQ, NP}}, {"C4", 8, {NP, NP}}},
    init_all,  run_all,      0};
