//===- Objects.cpp - Native code in parts ---------------------------------===//
//
// See the header. MLIR runs on the calling thread; each part has an LLVM
// context of its own, so its code can be generated on another thread.
//
//===----------------------------------------------------------------------===//
#include "Objects.h"

#include "nestor/Dialect/Nest/Nest.h"
#include "nestor/Support/Error.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <deque>
#include <future>

#include <malloc.h>

using namespace mlir;
using namespace nestor;

/// Kernels a part: enough to share the fixed costs of a module.
static constexpr size_t kKernelsPerPart = 4;

namespace {
/// Code generation of parts, at most `threads` at once, results in order.
class ObjectQueue {
public:
  ObjectQueue(const Target &target, unsigned threads)
      : target(target), threads(std::max(1u, threads)) {}
  ~ObjectQueue() {
    while (!running.empty())
      (void)!finishOne();
  }

  llvm::Error add(ModuleOp lowered) {
    Part part;
    part.context = std::make_unique<llvm::LLVMContext>();
    auto module = translate(lowered, *part.context, target);
    if (!module)
      return module.takeError();
    part.module = std::move(*module);
    while (running.size() >= threads)
      if (!finishOne())
        break;
    running.push_back(std::async(
        std::launch::async, [this, part = std::move(part)]() mutable {
          Done done;
          auto object = emitObject(*part.module, target);
          if (object)
            done.object = std::move(*object);
          else
            done.error = takeError(object.takeError());
          return done;
        }));
    return llvm::Error::success();
  }

  llvm::Expected<std::vector<ObjectBytes>> finish() {
    while (!running.empty())
      (void)finishOne();
    if (failure)
      return makeError(failure->first, failure->second);
    return std::move(objects);
  }

private:
  struct Part {
    std::unique_ptr<llvm::LLVMContext> context;
    std::unique_ptr<llvm::Module> module;
  };
  struct Done {
    ObjectBytes object;
    std::optional<std::pair<ErrorKind, std::string>> error;
  };

  bool finishOne() {
    Done done = running.front().get();
    running.pop_front();
    if (done.error && !failure)
      failure = std::move(done.error);
    objects.push_back(std::move(done.object));
    return !failure;
  }

  const Target &target;
  size_t threads;
  std::deque<std::future<Done>> running;
  std::vector<ObjectBytes> objects;
  std::optional<std::pair<ErrorKind, std::string>> failure;
};
} // namespace

static void dropBody(nest::FuncOp kernel) {
  Block &body = kernel.getBody().front();
  while (!body.empty() && &body.front() != body.getTerminator()) {
    Operation &last = *std::prev(body.getTerminator()->getIterator());
    last.dropAllUses();
    last.erase();
  }
}

llvm::Expected<std::vector<ObjectBytes>>
nestor::makeObjects(ModuleOp module, const LowerOptions &lower,
                    const Target &target, unsigned threads,
                    LoweredConstants &constants) {
  auto failed = [&] {
    return makeError(ErrorKind::Internal,
                     "the loops phase failed on @" + lower.entry);
  };
  auto kernels = launchedKernels(module, lower.entry);
  if (mlir::failed(kernels))
    return failed();
  ObjectQueue queue(target, threads);
  for (size_t i = 0; i < kernels->size(); i += kKernelsPerPart) {
    auto part = lowerKernels(ArrayRef(*kernels).slice(
        i, std::min(kKernelsPerPart, kernels->size() - i)));
    if (mlir::failed(part) || mlir::failed(lowerToLLVM(**part, &target)))
      return failed();
    if (llvm::Error error = queue.add(**part))
      return error;
    // Lowered nests are not needed any more; hundreds of them add up.
    for (Operation *kernel : ArrayRef(*kernels).slice(
             i, std::min(kKernelsPerPart, kernels->size() - i)))
      dropBody(cast<nest::FuncOp>(kernel));
    *part = OwningOpRef<ModuleOp>();
    malloc_trim(0);
  }
  auto program = lowerProgram(module, lower, constants);
  if (mlir::failed(program) || mlir::failed(lowerToLLVM(**program, &target)))
    return failed();
  if (llvm::Error error = queue.add(**program))
    return error;
  return queue.finish();
}
