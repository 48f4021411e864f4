/* The contract between a compiled model and whoever runs it. Plain C,
 * append-only.
 *
 * A compiled model is an object (JIT) or an ELF shared object (.nst) that
 * exports one data symbol, `nst_model` (struct nst_model), and has no
 * constructors: it can be inspected, and refused, before any of its code runs.
 * A run is one call of nst_model.run(call). The model reads inputs and
 * constants through the call, asks it for its arena, its outputs and its
 * parallel loops, and returns a status (0 = ok). It holds no global state.
 *
 * Assumes: 64-byte aligned constants, arena and scratch; contiguous row-major
 * tensors. Leaves true: the same object bytes serve JIT and AOT; structs only
 * grow at their end (struct_size says how far).
 */
#ifndef NESTOR_RUNTIME_ABI_H
#define NESTOR_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NST_MAGIC 0x3154534eu /* "NST1" */
#define NST_ABI_VERSION 1u
#define NST_ALIGNMENT 64

enum nst_dtype {
  NST_BOOL = 0, /* one byte, 0 or 1 */
  NST_U8 = 1,
  NST_I8 = 2,
  NST_U16 = 3,
  NST_I16 = 4,
  NST_U32 = 5,
  NST_I32 = 6,
  NST_U64 = 7,
  NST_I64 = 8,
  NST_F16 = 9,
  NST_BF16 = 10,
  NST_F32 = 11,
  NST_F64 = 12
};

/* Values equal the command's exit codes of the same meaning. */
enum nst_code {
  NST_OK = 0,
  NST_BUDGET = 7,
  NST_RUN_TIME = 8,
  NST_DAMAGED = 10
};

typedef struct nst_tensor {
  void *data;
  const int64_t *dims;
  int32_t rank;
  int32_t dtype; /* enum nst_dtype */
} nst_tensor;

typedef struct nst_call nst_call;

/* A parallel loop's body: iterations [begin, end) on worker `worker` (0 <=
 * worker < max_workers). */
typedef int32_t (*nst_body)(void *env, int64_t begin, int64_t end,
                            int32_t worker);

/* What a model may ask of its caller during a run. */
typedef struct nst_services {
  uint64_t struct_size;
  /* Runs body over [0, n) in chunks of at least `grain` iterations on at most
   * `max_workers` workers (0: no limit). Nested calls run serially. Returns 0
   * or the first non-zero status. */
  int32_t (*parallel_for)(nst_call *call, int64_t n, int64_t grain,
                          int32_t max_workers, nst_body body, void *env);
  /* The planned arena, at least `bytes` long; null on failure. Called at most
   * once a run. */
  void *(*arena)(nst_call *call, uint64_t bytes);
  /* Memory for data-dependent sizes; lives until the run ends; null on failure.
   * Bodies call this and `fail` from any worker at the same time. */
  void *(*scratch)(nst_call *call, uint64_t bytes);
  /* The buffer of output `index` with these dims; null on failure. Called once
   * an output. */
  void *(*output)(nst_call *call, int32_t index, const int64_t *dims,
                  int32_t rank);
  /* Records why the run fails; the model then returns `code`. */
  void (*fail)(nst_call *call, int32_t code, const char *message);
  /* How many workers parallel_for may use at most. */
  int32_t (*workers)(nst_call *call);
} nst_services;

struct nst_call {
  const nst_services *services;
  void *context; /* the caller's own */
  const nst_tensor *inputs;
  const void *const *constants; /* one pointer per nst_model.constants row */
};

/* A dimension: fixed (symbol < 0, value holds it) or named (symbol indexes
 * nst_model.symbols). symbol == NST_DIM_UNKNOWN: known only after the run
 * (outputs only). */
#define NST_DIM_FIXED (-1)
#define NST_DIM_UNKNOWN (-2)
typedef struct nst_dim {
  int64_t value;
  int64_t symbol;
} nst_dim;

typedef struct nst_io {
  const char *name;
  int32_t dtype;
  int32_t rank;
  const nst_dim *dims;
} nst_io;

typedef struct nst_symbol {
  const char *name;
  int64_t min;
  int64_t max;
} nst_symbol;

/* A constant's bytes: nst_model.weights + offset when weights is not null, else
 * given by the loader by key. */
typedef struct nst_constant {
  const char *key;
  uint64_t offset;
  uint64_t bytes;
} nst_constant;

typedef struct nst_model {
  uint32_t magic;
  uint32_t abi_version;
  uint64_t struct_size;
  const char *name;
  const char *target;   /* for people: "x86-64-v3", "host: avx512f,..." */
  const char *features; /* needed CPU features, comma separated LLVM names:
                           "avx2,fma" */
  const char
      *build_info; /* JSON: version, kernels (name, hash, schedule hash) */
  int64_t num_inputs;
  const nst_io *inputs;
  int64_t num_outputs;
  const nst_io *outputs;
  int64_t num_symbols;
  const nst_symbol *symbols;
  int64_t num_constants;
  const nst_constant *constants;
  int32_t (*run)(nst_call *call);
} nst_model;

/* The second, optional exported symbol of an .nst: the weights, page aligned,
 * read only. */
#define NST_MODEL_SYMBOL "nst_model"
#define NST_WEIGHTS_SYMBOL "nst_weights"

#ifdef __cplusplus
}
#endif
#endif
