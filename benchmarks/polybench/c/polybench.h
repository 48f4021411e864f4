/* What the file of a kernel tells whoever runs it.
 *
 * Each kernel is plain C written from its mathematics, with the sizes (LARGE),
 * the initial values and the order of loops of PolyBench/C 4.2.1. Sizes are
 * constants, as there; PB_SMALL makes them small and awkward, for tests.
 * Arguments never alias, which `restrict` says. Constants such as alpha are
 * literals, here and in the nests.
 *
 * Assumes: all bytes of all buffers are 0 before `init`.
 * Leaves true: `init` depends on nothing else, so two libraries start alike.
 */
#ifndef NESTOR_BENCHMARKS_POLYBENCH_H
#define NESTOR_BENCHMARKS_POLYBENCH_H

#include <stdint.h>

#ifdef PB_SMALL
#define PB(large, small) (small)
#else
#define PB(large, small) (large)
#endif

#define PB_MAX_SIZES 6
#define PB_MAX_BUFFERS 10
#define PB_MAX_RANK 3

typedef struct pb_buffer {
  const char *name;
  int32_t element;               /* bytes; 8: double, else integers */
  int64_t dims[PB_MAX_RANK + 1]; /* ends with 0 */
} pb_buffer;

typedef struct pb_kernel {
  const char *name;
  int64_t sizes[PB_MAX_SIZES + 1];       /* in the nest's order; ends with 0 */
  pb_buffer buffers[PB_MAX_BUFFERS + 1]; /* likewise; ends with no name */
  void (*init)(void *const *buffers);
  void (*run)(void *const *buffers);
  /* How wrong a result is, for kernels whose elements cannot be compared: 0 is
   * perfect. Null elsewhere. */
  double (*residual)(void *const *before, void *const *after);
} pb_kernel;

/* Exported: all kernels, by name, ending with null. */
extern const pb_kernel *const pb_kernels[];

/* Kernels stay functions of their own: `restrict` speaks of arguments. */
#define PB_KERNEL static __attribute__((noinline)) void

/* init_all and run_all: the file's `init` and `run` on an array of buffers. */
#define PB_ENTRY(...)                                                          \
  static void init_all(void *const *b) { init(__VA_ARGS__); }                  \
  static void run_all(void *const *b) { run(__VA_ARGS__); }
#define PB_1 b[0]
#define PB_2 PB_1, b[1]
#define PB_3 PB_2, b[2]
#define PB_4 PB_3, b[3]
#define PB_5 PB_4, b[4]
#define PB_6 PB_5, b[5]
#define PB_7 PB_6, b[6]
#define PB_9 PB_7, b[7], b[8]

#endif /* NESTOR_BENCHMARKS_POLYBENCH_H */
