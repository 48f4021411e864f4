/* C = beta C + alpha A B */
#include "polybench.h"

enum { NI = PB(1000, 23), NJ = PB(1100, 37), NK = PB(1200, 29) };

static void init(double C[NI][NJ], double A[NI][NK], double B[NK][NJ]) {
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NJ; j++)
      C[i][j] = (double)((i * j + 1) % NI) / NI;
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NK; j++)
      A[i][j] = (double)(i * (j + 1) % NK) / NK;
  for (int i = 0; i < NK; i++)
    for (int j = 0; j < NJ; j++)
      B[i][j] = (double)(i * (j + 2) % NJ) / NJ;
}

PB_KERNEL run(double C[restrict NI][NJ], double A[restrict NI][NK],
              double B[restrict NK][NJ]) {
  const double alpha = 1.5, beta = 1.2;
  for (int i = 0; i < NI; i++) {
    for (int j = 0; j < NJ; j++)
      C[i][j] *= beta;
    for (int k = 0; k < NK; k++)
      for (int j = 0; j < NJ; j++)
        C[i][j] += alpha * A[i][k] * B[k][j];
  }
}

PB_ENTRY(PB_3)
const pb_kernel pb_gemm = {
    "gemm",
    {NI, NJ, NK},
    {{"C", 8, {NI, NJ}}, {"A", 8, {NI, NK}}, {"B", 8, {NK, NJ}}},
    init_all,
    run_all,
    0};
