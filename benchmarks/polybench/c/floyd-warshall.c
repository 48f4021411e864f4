/* Shortest paths between all pairs */
#include "polybench.h"

enum { N = PB(2800, 37) };

static void init(int32_t path[N][N]) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      path[i][j] = i * j % 7 + 1;
      if ((i + j) % 13 == 0 || (i + j) % 7 == 0 || (i + j) % 11 == 0)
        path[i][j] = 999;
    }
}

PB_KERNEL run(int32_t path[restrict N][N]) {
  for (int k = 0; k < N; k++)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        path[i][j] = path[i][j] < path[i][k] + path[k][j]
                         ? path[i][j]
                         : path[i][k] + path[k][j];
}

PB_ENTRY(PB_1)
const pb_kernel pb_floyd_warshall = {
    "floyd-warshall", {N}, {{"path", 4, {N, N}}}, init_all, run_all, 0};
