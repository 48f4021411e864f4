/* All kernels, by name. */
#include "polybench.h"

/* clang-format off */
#define PB_ALL(X)                                                              \
  X(2mm) X(3mm) X(adi) X(atax) X(bicg) X(cholesky) X(correlation)              \
  X(covariance) X(deriche) X(doitgen) X(durbin) X(fdtd_2d) X(floyd_warshall)   \
  X(gemm) X(gemver) X(gesummv) X(gramschmidt) X(heat_3d) X(jacobi_1d)          \
  X(jacobi_2d) X(lu) X(ludcmp) X(mvt) X(nussinov) X(seidel_2d) X(symm)         \
  X(syr2k) X(syrk) X(trisolv) X(trmm)
/* clang-format on */

#define PB_DECLARE(id) extern const pb_kernel pb_##id;
PB_ALL(PB_DECLARE)

#define PB_ENTRY_OF(id) &pb_##id,
__attribute__((visibility("default")))
const pb_kernel *const pb_kernels[] = {PB_ALL(PB_ENTRY_OF) 0};
