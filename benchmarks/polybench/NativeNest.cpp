// A nest read, its sizes fixed, compiled in this process and called.
//
// A kernel's own function is the entry: its buffers are read and written in
// place, which the outputs of a model could not be.
#include "Kernels.h"

#include "nestor/Codegen/Codegen.h"
#include "nestor/Codegen/Link.h"
#include "nestor/Interp/Interp.h"
#include "nestor/Lower/Lower.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <deque>
#include <dlfcn.h>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

using namespace mlir;
using namespace nestor;
using namespace nestor::polybench;
using llvm::Expected;
using llvm::Twine;

static nest::FuncOp funcOf(ModuleOp module) {
  auto funcs = module.getOps<nest::FuncOp>();
  return llvm::hasSingleElement(funcs) ? *funcs.begin() : nest::FuncOp();
}

Expected<OwningOpRef<ModuleOp>> polybench::parseNest(MLIRContext &context,
                                                     llvm::StringRef folder,
                                                     const pb_kernel &kernel) {
  std::string path = (folder + "/" + kernel.name + ".mlir").str();
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(path, ParserConfig(&context));
  nest::FuncOp func = module ? funcOf(*module) : nest::FuncOp();
  if (!func)
    return makeError(ErrorKind::Malformed, path + ": no single nest.func");
  std::vector<int64_t> sizes = sizesOf(kernel);
  bool fits = func.getSizes().size() == sizes.size();
  for (unsigned i = 0; fits && i < func.getNumBuffers(); ++i) {
    const pb_buffer &buffer = kernel.buffers[i];
    SmallVector<int64_t> dims, want;
    for (const int64_t *dim = buffer.dims; buffer.name && *dim; ++dim)
      want.push_back(*dim);
    fits = buffer.name && kernelDims(func, i, sizes, dims) && dims == want;
  }
  if (!fits || kernel.buffers[func.getNumBuffers()].name)
    return makeError(ErrorKind::Malformed,
                     path + ": its arguments are not those of the C kernel");
  return module;
}

namespace {
/// Operands of an affine map without those that are sizes.
struct Fixed {
  SmallVector<AffineExpr> dims, symbols;
  SmallVector<Value> operands;
  unsigned numSymbols = 0;

  Fixed(unsigned numDims, ValueRange all, ValueRange sizes,
        ArrayRef<int64_t> numbers, MLIRContext *context) {
    for (auto [i, operand] : llvm::enumerate(all)) {
      auto size = llvm::find(sizes, operand);
      if (i < numDims)
        dims.push_back(getAffineDimExpr(i, context));
      else if (size != sizes.end())
        symbols.push_back(
            getAffineConstantExpr(numbers[size - sizes.begin()], context));
      else
        symbols.push_back(getAffineSymbolExpr(numSymbols++, context));
      if (i < numDims || size == sizes.end())
        operands.push_back(operand);
    }
  }
  AffineMap of(AffineMap map) const {
    return map.replaceDimsAndSymbols(dims, symbols, dims.size(), numSymbols);
  }
  IntegerSet of(IntegerSet set) const {
    return set.replaceDimsAndSymbols(dims, symbols, dims.size(), numSymbols);
  }
};
} // namespace

void polybench::fixSizes(nest::FuncOp func, ArrayRef<int64_t> sizes) {
  MLIRContext *context = func.getContext();
  SmallVector<Value> arguments(func.getSizes().begin(), func.getSizes().end());
  auto fixed = [&](unsigned numDims, ValueRange operands) {
    return Fixed(numDims, operands, arguments, sizes, context);
  };
  auto staticType = [](MemRefType type, AffineMap shape) {
    SmallVector<int64_t> dims;
    for (AffineExpr dim : shape.getResults())
      dims.push_back(cast<AffineConstantExpr>(dim).getValue());
    return MemRefType::get(dims, type.getElementType(), AffineMap(),
                           type.getMemorySpace());
  };
  func.walk([&](Operation *op) {
    if (auto loop = dyn_cast<nest::ForOp>(op)) {
      Fixed lower =
          fixed(loop.getLowerMap().getNumDims(), loop.getLowerOperands());
      Fixed upper =
          fixed(loop.getUpperMap().getNumDims(), loop.getUpperOperands());
      loop.setLowerMap(lower.of(loop.getLowerMap()));
      loop.setUpperMap(upper.of(loop.getUpperMap()));
      loop.getLowerOperandsMutable().assign(lower.operands);
      loop.getUpperOperandsMutable().assign(upper.operands);
    } else if (auto block = dyn_cast<nest::BlockOp>(op)) {
      Fixed all =
          fixed(block.getBindings().getNumDims(), block.getLoopOperands());
      block.setBindings(all.of(block.getBindings()));
      block.setDomain(all.of(block.getDomain()));
      if (auto predicate = block.getPredicate())
        block.setPredicate(all.of(*predicate));
      block.getLoopOperandsMutable().assign(all.operands);
    } else if (auto alloc = dyn_cast<nest::AllocOp>(op)) {
      AffineMap shape = fixed(0, alloc.getSizes()).of(alloc.getShapeMap());
      auto type = cast<MemRefType>(alloc.getType());
      alloc.getResult().setType(staticType(type, shape));
      alloc.removeShapeAttr();
      alloc.getSizesMutable().clear();
    }
  });
  // Only bodies of blocks are left.
  for (auto [argument, size] : llvm::zip_equal(arguments, sizes))
    for (OpOperand &use : llvm::make_early_inc_range(argument.getUses())) {
      OpBuilder builder(use.getOwner());
      use.set(arith::ConstantIndexOp::create(builder, func.getLoc(), size));
    }
  SmallVector<Type> types(func.getArgumentTypes());
  Fixed all = fixed(0, arguments);
  for (unsigned i = 0, e = func.getNumBuffers(); i < e; ++i) {
    types[i] =
        staticType(cast<MemRefType>(types[i]), all.of(func.getBufferShape(i)));
  }
  for (auto [argument, type] : llvm::zip(func.getBody().getArguments(), types))
    argument.setType(type);
  func.removeShapesAttr();
  func.setFunctionType(FunctionType::get(context, types, {}));
}

Expected<std::unique_ptr<NativeNest>>
NativeNest::compile(nest::FuncOp func, const Target &target) {
  auto internal = [](const Twine &why) {
    return makeError(ErrorKind::Internal, why);
  };
  std::string name = func.getSymName().str();
  auto lowered = lowerKernels({func.getOperation()});
  if (failed(lowered) || failed(lowerToLLVM(**lowered)))
    return internal("@" + name + " does not lower");
  CodegenOptions options;
  options.exports = {name};
  auto object = emitObject(**lowered, target, options);
  if (!object)
    return object.takeError();
  auto image = linkShared(*object, target);
  if (!image)
    return image.takeError();
  std::unique_ptr<NativeNest> result(new NativeNest());
  result->numBuffers = func.getNumBuffers();
  // Stays open as long as the library: the loader knows libraries by their
  // paths, and the next file would get the same one.
  int fd = result->file = memfd_create("nestor-polybench", MFD_CLOEXEC);
  if (fd < 0 || write(fd, image->data(), image->size()) !=
                    static_cast<ssize_t>(image->size()))
    return internal("cannot write the image");
  result->library = dlopen(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                           RTLD_NOW | RTLD_LOCAL);
  if (!result->library)
    return internal(dlerror());
  result->entry = dlsym(result->library, name.c_str());
  if (!result->entry)
    return internal("@" + name + " is not exported");
  return result;
}

NativeNest::~NativeNest() {
  if (library)
    dlclose(library);
  if (file >= 0)
    close(file);
}

namespace {
/// What the kernel asks of its caller.
struct Services {
  rt::Executor &executor;
  std::deque<std::unique_ptr<void, decltype(&std::free)>> scratch;
  std::mutex lock;

  static Services &of(nst_call *call) {
    return *static_cast<Services *>(call->context);
  }
  static int32_t parallelFor(nst_call *call, int64_t n, int64_t grain,
                             int32_t limit, nst_body body, void *env) {
    return of(call).executor.parallelFor(n, grain, limit, body, env);
  }
  static void *memory(nst_call *call, uint64_t bytes) {
    Services &self = of(call);
    void *data = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    std::lock_guard<std::mutex> guard(self.lock);
    self.scratch.emplace_back(data, std::free);
    return data;
  }
  static void *output(nst_call *, int32_t, const int64_t *, int32_t) {
    return nullptr;
  }
  static void fail(nst_call *, int32_t, const char *) {}
  static int32_t workers(nst_call *call) { return of(call).executor.workers(); }
};
} // namespace

int32_t NativeNest::run(void *const *buffers, ArrayRef<int64_t> sizes,
                        rt::Executor &executor) const {
  Services services{executor, {}, {}};
  nst_services table = {sizeof(nst_services), Services::parallelFor,
                        Services::memory,     Services::memory,
                        Services::output,     Services::fail,
                        Services::workers};
  nst_call call = {&table, &services, nullptr, nullptr};
  // Buffers, then sizes. Both calling conventions pass pointers and integers
  // alike and let a callee ignore what comes behind its own arguments.
  std::array<uint64_t, PB_MAX_BUFFERS + PB_MAX_SIZES> a{};
  for (unsigned i = 0; i < numBuffers; ++i)
    a[i] = reinterpret_cast<uint64_t>(buffers[i]);
  llvm::copy(sizes, a.begin() + numBuffers);
  using W = uint64_t;
  auto *function = reinterpret_cast<int32_t (*)(
      nst_call *, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W)>(entry);
  static_assert(PB_MAX_BUFFERS + PB_MAX_SIZES == 16);
  return function(&call, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8],
                  a[9], a[10], a[11], a[12], a[13], a[14], a[15]);
}
