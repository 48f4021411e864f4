// The C face, used as a C program would.

#include "Fixture.h"

#include "nestor/Runtime/nestor_rt.h"

#include "gmock/gmock.h"
#include <dlfcn.h>
#include <sys/stat.h>

using testing::HasSubstr;

namespace {

struct Dl {
  Dl(Pair &pair, int which) {
    shape[0] = pair.dims[0];
    shape[1] = 4;
    tensor.data = which ? pair.y.data() : pair.x.data();
    tensor.device.device_type = 1;
    tensor.ndim = 2;
    tensor.dtype.code = 2;
    tensor.dtype.bits = 32;
    tensor.dtype.lanes = 1;
    tensor.shape = shape;
  }
  int64_t shape[2];
  nst_dl_tensor tensor = {};
};

class CApi : public testing::Test {
protected:
  void SetUp() override {
    nst_context_options options = {};
    options.struct_size = sizeof options;
    options.threads = 2;
    ok(api->context_create(&options, &context));
    ok(api->load_file(context, fixturePath("good").c_str(), nullptr, &program));
    ok(api->instance_create(program, &instance));
  }
  void TearDown() override {
    api->instance_free(instance);
    api->program_free(program);
    api->context_free(context);
  }
  void ok(nst_status *status) {
    ASSERT_EQ(status, nullptr) << api->status_message(status);
  }
  void fails(nst_status *status, int code, const char *text) {
    ASSERT_NE(status, nullptr);
    EXPECT_EQ(api->status_code(status), code);
    EXPECT_THAT(api->status_message(status), HasSubstr(text));
    api->status_free(status);
  }
  const nst_api *api = nst_get_api(NST_API_1);
  nst_context *context = nullptr;
  nst_program *program = nullptr;
  nst_instance *instance = nullptr;
};

TEST_F(CApi, UnknownVersionIsNull) { EXPECT_EQ(nst_get_api(77), nullptr); }

TEST_F(CApi, DescribesItsSignature) {
  uint32_t in, out;
  api->io_count(program, &in, &out);
  EXPECT_EQ(in, 2u);
  EXPECT_EQ(out, 2u);
  nst_io_info info = {};
  info.struct_size = sizeof info;
  ok(api->input_info(program, 1, &info));
  EXPECT_STREQ(info.name, "y");
  EXPECT_EQ(info.dtype, NST_F32);
  EXPECT_EQ(info.rank, 2);
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_STREQ(info.dim_names[0], "n");
  EXPECT_EQ(info.dims[1], 4);
  EXPECT_EQ(info.dim_names[1], nullptr);
  fails(api->input_info(program, 2, &info), 2, "no such");
}

TEST_F(CApi, Runs) {
  Pair pair(40);
  Dl x(pair, 0), y(pair, 1);
  const nst_dl_tensor *inputs[2] = {&x.tensor, &y.tensor};
  ok(api->run(instance, inputs, 2, nullptr, 0));
  nst_dl_tensor view;
  ok(api->output(instance, 0, &view));
  ASSERT_EQ(view.ndim, 2);
  EXPECT_EQ(view.shape[0], 40);
  for (size_t i = 0; i < pair.x.size(); ++i)
    EXPECT_EQ(static_cast<float *>(view.data)[i], pair.expected(i));

  std::vector<float> mine(160);
  Dl out(pair, 0);
  out.tensor.data = mine.data();
  const nst_dl_tensor *outputs[2] = {&out.tensor, nullptr};
  ok(api->run(instance, inputs, 2, outputs, 2));
  EXPECT_EQ(mine[159], pair.expected(159));
}

TEST_F(CApi, RefusesWhatItCannotTake) {
  Pair pair(4);
  Dl x(pair, 0), y(pair, 1);
  const nst_dl_tensor *inputs[2] = {&x.tensor, nullptr};
  fails(api->run(instance, inputs, 2, nullptr, 0), 8, "input 1 is null");
  inputs[1] = &y.tensor;
  fails(api->run(instance, inputs, 1, nullptr, 0), 8, "2 inputs");
  int64_t strides[2] = {1, 4};
  y.tensor.strides = strides;
  fails(api->run(instance, inputs, 2, nullptr, 0), 8, "not contiguous");
  y.tensor.strides = nullptr;
  y.tensor.device.device_type = 2;
  fails(api->run(instance, inputs, 2, nullptr, 0), 8, "not in CPU memory");
  y.tensor.device.device_type = 1;
  y.tensor.dtype.bits = 3;
  fails(api->run(instance, inputs, 2, nullptr, 0), 8, "element type");
  fails(api->load_file(context, "/none", nullptr, &program), 3, "cannot open");
  fails(api->load(context, "abc", 3, nullptr, &program), 10, "damaged");
}

TEST(SharedLibrary, IsSmallAndExportsOneSymbol) {
  std::string path = NESTOR_BUILD_DIR "/lib/libnestor_rt.so";
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    GTEST_SKIP() << "libnestor_rt.so is not built";
  EXPECT_LT(info.st_size, 1 << 20);
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto get = reinterpret_cast<const nst_api *(*)(uint32_t)>(
      dlsym(library, "nst_get_api"));
  ASSERT_NE(get, nullptr);
  EXPECT_NE(get(NST_API_1), nullptr);
  dlclose(library);
}

} // namespace
