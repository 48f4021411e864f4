/* A model written by hand against the contract, in variants by macro:
 * out[n,4] = x[n,4] + y[n,4] * scale[4], `sum` = the sum of out (rank 0).
 * x and y share the symbol n (1..1000000). Uses the arena, scratch and a
 * parallel loop, and holds no libc call. */
#include "nestor/Runtime/Abi.h"

#ifndef MAGIC
#define MAGIC NST_MAGIC
#endif
#ifndef ABI
#define ABI NST_ABI_VERSION
#endif
#ifndef FEATURES
#define FEATURES ""
#endif
#ifndef NUM_INPUTS
#define NUM_INPUTS 2
#endif

struct env {
  const float *x, *y, *scale;
  float *out, *copy;
};

static int32_t body(void *opaque, int64_t begin, int64_t end, int32_t worker) {
  struct env *env = opaque;
  (void)worker;
  for (int64_t i = begin; i < end; ++i)
    for (int j = 0; j < 4; ++j) {
      float v = env->x[4 * i + j] + env->y[4 * i + j] * env->scale[j];
      env->copy[4 * i + j] = v;
      env->out[4 * i + j] = v;
    }
  return 0;
}

static int32_t run(nst_call *call) {
  const nst_services *host = call->services;
  int64_t n = call->inputs[0].dims[0];
  int64_t dims[2] = {n, 4};
  struct env env;
  env.x = call->inputs[0].data;
  env.y = call->inputs[1].data;
  env.scale = call->constants[0];
  env.copy = host->arena(call, (uint64_t)n * 16);
  if (!env.copy)
    return NST_BUDGET;
#ifdef BAD_OUTPUT
  dims[0] = n + 1;
#endif
#ifndef FORGET_OUTPUT
  env.out = host->output(call, 0, dims, 2);
  if (!env.out)
    return NST_RUN_TIME;
#else
  env.out = env.copy;
#endif
  float *sum = host->output(call, 1, dims, 0);
  float *partial = host->scratch(call, 4 * sizeof(float));
  if (!sum || !partial)
    return NST_RUN_TIME;
  if (((uintptr_t)env.copy | (uintptr_t)partial | (uintptr_t)env.scale) %
      NST_ALIGNMENT) {
    host->fail(call, NST_RUN_TIME, "memory is not aligned");
    return NST_RUN_TIME;
  }
  if (n == 13) {
    host->fail(call, NST_RUN_TIME, "unlucky size");
    return NST_RUN_TIME;
  }
  int32_t status = host->parallel_for(call, n, 16, 0, body, &env);
  if (status)
    return status;
  for (int j = 0; j < 4; ++j)
    partial[j] = 0;
  for (int64_t i = 0; i < 4 * n; ++i)
    partial[i % 4] += env.copy[i];
  *sum = partial[0] + partial[1] + partial[2] + partial[3];
  return 0;
}

#ifndef NO_WEIGHTS
__attribute__((aligned(4096), visibility("default"), section(".nst.weights")))
const float nst_weights[1024] = {1, 2, 3, 4};
#endif

static const nst_dim xy[2] = {{0, 0}, {4, NST_DIM_FIXED}};
static const nst_symbol symbols[1] = {{"n", 1, 1000000}};
static const nst_io inputs[2] = {{"x", NST_F32, 2, xy}, {"y", NST_F32, 2, xy}};
static const nst_io outputs[2] = {{"out", NST_F32, 2, xy},
                                  {"sum", NST_F32, 0, 0}};
static const nst_constant constants[1] = {{"scale", 0, 16}};

__attribute__((visibility("default")))
const nst_model nst_model_storage __asm__("nst_model") = {
    MAGIC,   ABI,        sizeof(struct nst_model),
    "test",  "host",     FEATURES,
    "{}",    NUM_INPUTS, inputs,
    2,       outputs,    1,
    symbols, 1,          constants,
    run};

#ifdef CONSTRUCTOR
int constructed;
__attribute__((constructor)) static void construct(void) {
  __asm__ volatile("" : "=m"(constructed));
}
#endif
