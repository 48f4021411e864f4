// Random kernels by the interpreter and by native code: the same bits.
#include "SemanticsBase.h"

using namespace nestor;

namespace {
TEST_F(Semantics, NativeCodeIsWhatInterpSays) {
  forSeeds(150, [&](uint64_t seed) -> std::string {
    // Every third nest is plain: nobody scheduled it.
    Problem problem =
        randomProblem(context, seed, NestStyle{.scheduled = seed % 3 != 0});
    if (!problem.module || failed(mlir::verify(*problem.module)))
      return "the generator wrote invalid text\n" + problem.text;
    std::vector<HostTensor> want = problem.buffers, got = problem.buffers;
    if (llvm::Error error =
            Interp::runKernel(problem.kernel, want, problem.sizes))
      return text(std::move(error)) + "\n" + problem.text;
    if (llvm::Error error =
            Interp::runKernel(problem.kernel, got, problem.sizes,
                              {.shuffleSeed = seed + 1, .checkRaces = true}))
      return text(std::move(error)) + "\n" + problem.text;
    std::string message = difference(got, want);
    if (!message.empty())
      return "parallel order changes the result\n" + message + problem.text;
    auto native = [&](nest::FuncOp kernel) -> std::string {
      std::vector<HostTensor> result = problem.buffers;
      if (llvm::Error error = runNative(kernel, result, problem.writes,
                                        problem.sizes, 1 + seed % 3))
        return text(std::move(error));
      return difference(result, want);
    };
    message = native(problem.kernel);
    return message.empty() ? "" : shrink(problem.kernel, native, message);
  });
}
} // namespace
