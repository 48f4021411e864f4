/* The C face of the runtime: load an artefact, run it. Plain C, no LLVM.
 *
 * nst_get_api(NST_API_1) returns a table of functions, or NULL when this
 * library does not know the version. The table and every options struct only
 * grow at their end; struct_size says how far the caller's or the library's
 * goes.
 *
 * context (threads, memory) -> program (immutable, shareable) -> instance (one
 * thread at a time) -> run. Every function returns NULL for success or a status
 * to be read and freed once. Release functions accept NULL. No function throws,
 * prints, exits or changes errno on purpose.
 */
#ifndef NESTOR_RUNTIME_NESTOR_RT_H
#define NESTOR_RUNTIME_NESTOR_RT_H

#include "nestor/Runtime/Abi.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NST_API_1 1u

typedef struct nst_context nst_context;
typedef struct nst_program nst_program;
typedef struct nst_instance nst_instance;
typedef struct nst_status nst_status;

/* The layout of DLPack's DLTensor: a pointer to one may be cast to the other.
 * Only CPU tensors (device_type 1) that are contiguous and row-major are taken;
 * strides may be null. */
typedef struct nst_dl_tensor {
  void *data;
  struct {
    int32_t device_type;
    int32_t device_id;
  } device;
  int32_t ndim;
  struct {
    uint8_t code; /* 0 int, 1 uint, 2 float, 4 bfloat, 6 bool */
    uint8_t bits;
    uint16_t lanes;
  } dtype;
  int64_t *shape;
  int64_t *strides;
  uint64_t byte_offset;
} nst_dl_tensor;

typedef struct nst_context_options {
  size_t struct_size;
  /* 0: by CPU affinity and control group quota. */
  int32_t threads;
  int32_t reserved;
  /* The host's own threads, instead of a pool: must run body(env, begin, end,
   * worker) over all of [0, n) in chunks of at least `grain` (the last may be
   * smaller), 0 <= worker < max_workers, no two chunks at once on one worker,
   * and return 0 or a non-zero status of a body. `threads` says how many. */
  int32_t (*parallel_for)(void *user, int64_t n, int64_t grain,
                          int32_t max_workers, nst_body body, void *env);
  void *parallel_user;
  /* The host's own memory, instead of malloc. */
  void *(*allocate)(void *user, uint64_t bytes, uint64_t alignment);
  void (*free)(void *user, void *pointer, uint64_t bytes);
  void *memory_user;
  /* Arena, scratch and outputs of one instance, in bytes; 0: no limit. */
  uint64_t memory_limit;
} nst_context_options;

typedef struct nst_load_options {
  size_t struct_size;
  /* Constants of an artefact without weights: bytes that live as long as the
   * program (copied when not 64-byte aligned); NULL where there are none. */
  const void *(*constant)(void *user, const char *key, uint64_t bytes);
  void *constant_user;
} nst_load_options;

typedef struct nst_io_info {
  size_t struct_size;
  const char *name;
  int32_t dtype; /* enum nst_dtype */
  int32_t rank;
  /* Sizes; -1 where dim_names has a name, or the size is known after a run. */
  const int64_t *dims;
  const char *const *dim_names; /* an entry is NULL for a fixed size */
} nst_io_info;

typedef struct nst_api {
  size_t struct_size;

  /* Status: code (the command's exit codes), text. */
  int32_t (*status_code)(const nst_status *status);
  const char *(*status_message)(const nst_status *status);
  void (*status_free)(nst_status *status);

  nst_status *(*context_create)(const nst_context_options *options,
                                nst_context **context);
  void (*context_free)(nst_context *context);

  nst_status *(*load_file)(nst_context *context, const char *path,
                           const nst_load_options *options,
                           nst_program **program);
  nst_status *(*load)(nst_context *context, const void *bytes, size_t size,
                      const nst_load_options *options, nst_program **program);
  void (*program_free)(nst_program *program);

  void (*io_count)(const nst_program *program, uint32_t *inputs,
                   uint32_t *outputs);
  nst_status *(*input_info)(const nst_program *program, uint32_t index,
                            nst_io_info *info);
  nst_status *(*output_info)(const nst_program *program, uint32_t index,
                             nst_io_info *info);

  nst_status *(*instance_create)(nst_program *program, nst_instance **instance);
  void (*instance_free)(nst_instance *instance);

  /* Runs. `outputs` may be NULL; so may each entry, or its data: the instance
   * then allocates. A given buffer must hold the bytes that its shape says. */
  nst_status *(*run)(nst_instance *instance, const nst_dl_tensor *const *inputs,
                     uint32_t num_inputs, const nst_dl_tensor *const *outputs,
                     uint32_t num_outputs);
  /* A view of an output of the last run, valid until the next. */
  nst_status *(*output)(nst_instance *instance, uint32_t index,
                        nst_dl_tensor *view);
  /* Gives back the memory that the instance keeps between runs. */
  void (*trim)(nst_instance *instance);
} nst_api;

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const nst_api *nst_get_api(uint32_t version);

#ifdef __cplusplus
}
#endif
#endif /* NESTOR_RUNTIME_NESTOR_RT_H */
