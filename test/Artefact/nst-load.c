/* Loads an artefact through the runtime alone and runs it once on ones (named
 * sizes are 1), on the CPU at hand or an emulated one. Exits with the status'
 * code, its text on standard error; prints the first output's first float. */
#include "nestor/Runtime/nestor_rt.h"

#include <stdio.h>
#include <stdlib.h>

enum { MaxIo = 16, MaxBytes = 1 << 20 };

static const nst_api *api;

static void check(nst_status *status) {
  if (status) {
    int code = api->status_code(status);
    fprintf(stderr, "%s\n", api->status_message(status));
    api->status_free(status);
    exit(code);
  }
}

int main(int argc, char **argv) {
  nst_context_options options = {.struct_size = sizeof(options), .threads = 1};
  nst_context *context;
  nst_program *program;
  nst_instance *instance;
  uint32_t inputs, outputs;
  static nst_dl_tensor tensors[MaxIo];
  static int64_t shapes[MaxIo][8];
  const nst_dl_tensor *pointers[MaxIo];
  nst_dl_tensor result;

  api = nst_get_api(NST_API_1);
  if (argc != 2 || !api)
    return 2;
  check(api->context_create(&options, &context));
  check(api->load_file(context, argv[1], NULL, &program));
  api->io_count(program, &inputs, &outputs);
  for (uint32_t i = 0; i < inputs && i < MaxIo; ++i) {
    nst_io_info info = {.struct_size = sizeof(info)};
    nst_dl_tensor *tensor = &tensors[i];
    check(api->input_info(program, i, &info));
    if (info.dtype != NST_F32 || info.rank > 8)
      return 2;
    float *data = malloc(MaxBytes);
    for (size_t k = 0; k < MaxBytes / sizeof(float); ++k)
      data[k] = 1.0f;
    for (int32_t d = 0; d < info.rank; ++d)
      shapes[i][d] = info.dims[d] < 0 ? 1 : info.dims[d];
    tensor->data = data;
    tensor->device.device_type = 1;
    tensor->ndim = info.rank;
    tensor->dtype.code = 2;
    tensor->dtype.bits = 32;
    tensor->dtype.lanes = 1;
    tensor->shape = shapes[i];
    pointers[i] = tensor;
  }
  check(api->instance_create(program, &instance));
  check(api->run(instance, pointers, inputs, NULL, 0));
  check(api->output(instance, 0, &result));
  printf("%g\n", ((const float *)result.data)[0]);
  api->instance_free(instance);
  api->program_free(program);
  api->context_free(context);
  return 0;
}
