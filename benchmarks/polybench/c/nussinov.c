/* The most base pairs of an RNA sequence */
#include "polybench.h"

enum { N = PB(2500, 37) };

static void init(int8_t *seq, int32_t table[N][N]) {
  for (int i = 0; i < N; i++)
    seq[i] = (i + 1) % 4;
}

static int32_t larger(int32_t a, int32_t b) { return a >= b ? a : b; }

PB_KERNEL run(int8_t *restrict seq, int32_t table[restrict N][N]) {
  for (int i = N - 1; i >= 0; i--)
    for (int j = i + 1; j < N; j++) {
      table[i][j] = larger(table[i][j], table[i][j - 1]);
      table[i][j] = larger(table[i][j], table[i + 1][j]);
      int32_t pairs = i < j - 1 && seq[i] + seq[j] == 3;
      table[i][j] = larger(table[i][j], table[i + 1][j - 1] + pairs);
      for (int k = i + 1; k < j; k++)
        table[i][j] = larger(table[i][j], table[i][k] + table[k + 1][j]);
    }
}

PB_ENTRY(PB_2)
const pb_kernel pb_nussinov = {
    "nussinov", {N},     {{"seq", 1, {N}}, {"table", 4, {N, N}}},
    init_all,   run_all, 0};
