// One process of oneDNN: times one primitive, weights packed before the time.
//
//   onednn matmul type=f32|bf16|u8s8 m= n= k= [scales=FILE] FILES TIME
//   onednn conv   type=f32 n= ih= iw= ic= oc= kh= kw= stride= pad= groups=
//                 FILES TIME
//     FILES: src=FILE weights=FILE out=FILE
//     TIME:  threads=N seconds=S
//
// Data is row-major: A[m,k] and C[m,n]; images [n,h,w,c]. Weights come as
// B[k,n], or [groups,oc,ic,kh,kw] as one writes them, and take the format that
// the primitive asks for. u8s8 requantises to u8: scales= holds a float for
// each column and the zero point of the result is given by zero=.
// Prints {"median_ms":, "min_ms":, "runs":, "version":, "kernel":}.
#include "measure.h"

#include "oneapi/dnnl/dnnl.hpp"

#include <cstring>
#include <filesystem>
#include <sched.h>
#include <unistd.h>

using namespace dnnl;
using Dims = memory::dims;
using Tag = memory::format_tag;
using Type = memory::data_type;

/// The SYCL runtime takes more threads than it is told: it gets that many CPUs,
/// this one and those after it.
static void keepTo(int64_t threads) {
#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_SYCL
  cpu_set_t allowed, chosen;
  CPU_ZERO(&chosen);
  sched_getaffinity(0, sizeof allowed, &allowed);
  int start = std::max(sched_getcpu(), 0);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&chosen) < threads; ++i)
    if (CPU_ISSET((start + i) % CPU_SETSIZE, &allowed))
      CPU_SET((start + i) % CPU_SETSIZE, &chosen);
  sched_setaffinity(0, sizeof chosen, &chosen);
#endif
}

/// Threads are settings of the environment that are read when libraries are
/// loaded, so the program starts itself again with them.
static void settle(char **argv, int64_t threads) {
  if (getenv("NESTOR_PEER_SETTLED"))
    return;
  keepTo(threads);
  std::string number = std::to_string(threads);
  auto self = std::filesystem::read_symlink("/proc/self/exe");
  auto opencl = self.parent_path().parent_path() / "lib" / "libintelocl.so";
  setenv("NESTOR_PEER_SETTLED", "1", 1);
  setenv("OMP_NUM_THREADS", number.c_str(), 1);
  setenv("DPCPP_CPU_NUM_CUS", number.c_str(), 1);
  setenv("OCL_ICD_FILENAMES", opencl.c_str(), 0);
  execv(self.c_str(), argv);
}

namespace {
/// A primitive to be: what it takes, in the formats of the files.
struct Problem {
  memory::desc source, weights, result;
  primitive primitiveToRun;
  memory::desc packed;
  std::string kernel;
};
} // namespace

static memory load(const engine &engine, const memory::desc &desc,
                   const std::string &file) {
  memory result(desc, engine);
  void *data = result.map_data();
  peer::readFile(file, data, desc.get_size());
  result.unmap_data(data);
  return result;
}

static Type typeOf(const std::string &name) {
  return name == "bf16" ? Type::bf16 : name == "u8s8" ? Type::u8 : Type::f32;
}

static Problem matmulOf(const engine &engine, const peer::Options &options) {
  int64_t m = options.number("m"), n = options.number("n"),
          k = options.number("k");
  std::string type = options.text("type");
  bool quantised = type == "u8s8";
  Type data = typeOf(type), weight = quantised ? Type::s8 : data;
  Problem problem;
  problem.source = {Dims{m, k}, data, Tag::ab};
  problem.weights = {Dims{k, n}, weight, Tag::ab};
  problem.result = {Dims{m, n}, data, Tag::ab};
  primitive_attr attr;
  if (quantised) {
    attr.set_scales_mask(DNNL_ARG_WEIGHTS, 1 << 1);
    attr.set_zero_points_mask(DNNL_ARG_DST, 0);
  }
  memory::desc any(Dims{k, n}, weight, Tag::any);
  matmul::primitive_desc desc(engine, problem.source, any, problem.result,
                              attr);
  problem.packed = desc.weights_desc();
  problem.kernel = desc.impl_info_str();
  problem.primitiveToRun = matmul(desc);
  return problem;
}

static Problem convOf(const engine &engine, const peer::Options &options) {
  int64_t n = options.number("n", 1), ih = options.number("ih"),
          iw = options.number("iw"), ic = options.number("ic"),
          oc = options.number("oc"), kh = options.number("kh"),
          kw = options.number("kw"), stride = options.number("stride", 1),
          pad = options.number("pad", 0), groups = options.number("groups", 1);
  Type type = typeOf(options.text("type"));
  int64_t oh = (ih + 2 * pad - kh) / stride + 1,
          ow = (iw + 2 * pad - kw) / stride + 1;
  Problem problem;
  problem.source = {Dims{n, ic, ih, iw}, type, Tag::nhwc};
  problem.result = {Dims{n, oc, oh, ow}, type, Tag::nhwc};
  Dims dims = {oc, ic / groups, kh, kw};
  Tag plain = Tag::oihw;
  if (groups > 1) {
    dims = {groups, oc / groups, ic / groups, kh, kw};
    plain = Tag::goihw;
  }
  problem.weights = {dims, type, plain};
  convolution_forward::primitive_desc desc(
      engine, prop_kind::forward_inference, algorithm::convolution_direct,
      problem.source, memory::desc(dims, type, Tag::any), problem.result,
      Dims{stride, stride}, Dims{pad, pad}, Dims{pad, pad});
  problem.packed = desc.weights_desc();
  problem.kernel = desc.impl_info_str();
  problem.primitiveToRun = convolution_forward(desc);
  return problem;
}

static void run(const std::string &op, const peer::Options &options) {
  engine engine(engine::kind::cpu, 0);
  stream stream(engine);
  Problem problem =
      op == "conv" ? convOf(engine, options) : matmulOf(engine, options);
  memory source = load(engine, problem.source, options.text("src"));
  memory weights = load(engine, problem.weights, options.text("weights"));
  memory packed(problem.packed, engine);
  reorder(weights, packed).execute(stream, weights, packed);
  stream.wait();
  memory result(problem.result, engine);
  std::unordered_map<int, memory> args = {{DNNL_ARG_SRC, source},
                                          {DNNL_ARG_WEIGHTS, packed},
                                          {DNNL_ARG_DST, result}};
  if (options.has("scales")) {
    memory::desc scales(Dims{options.number("n")}, Type::f32, Tag::a);
    args.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                 load(engine, scales, options.text("scales")));
    memory zero(memory::desc(Dims{1}, Type::s32, Tag::a), engine);
    void *data = zero.map_data();
    *static_cast<int32_t *>(data) = int32_t(options.number("zero"));
    zero.unmap_data(data);
    args.emplace(DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_DST, zero);
  }
  auto once = [&] {
    problem.primitiveToRun.execute(stream, args);
    stream.wait();
  };
  once();
  if (options.has("out")) {
    void *data = result.map_data();
    peer::writeFile(options.text("out"), data, problem.result.get_size());
    result.unmap_data(data);
  }
  std::vector<double> times = peer::timesOf(options.real("seconds", 0.3), once);
  const version_t *version = dnnl::version();
  printf("{\"median_ms\": %.6g, \"min_ms\": %.6g, \"runs\": %zu, \"version\": "
         "\"%d.%d\", "
         "\"kernel\": \"%s\"}\n",
         peer::median(times) * 1e3,
         *std::min_element(times.begin(), times.end()) * 1e3, times.size(),
         version->major, version->minor, problem.kernel.c_str());
}

int main(int argc, char **argv) {
  if (argc < 2 || (strcmp(argv[1], "matmul") && strcmp(argv[1], "conv")))
    return peer::fail("usage: onednn matmul|conv name=value...");
  peer::Options options(argc, argv, 2);
  settle(argv, options.number("threads", 1));
  try {
    run(argv[1], options);
  } catch (const error &problem) {
    return peer::fail(std::string("oneDNN: ") + problem.what());
  }
}
