// Lanes that are digits of an index: vectorized loops whose variable is divided
// in bindings, predicates and bodies, over random divisors, factors and
// offsets, by native code and by the interpreter.
#include "Random.h"
#include "SemanticsBase.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace nestor;

namespace {
class Lanes : public Semantics {
protected:
  /// Not empty: how native code for the kernel `text` of buffers A (read), B
  /// and more (written) differs.
  std::string check(const std::string &text, uint64_t seed) {
    Problem problem;
    problem.module = parseSourceString<ModuleOp>(text, &context);
    if (!problem.module)
      return "does not parse:\n" + text;
    problem.kernel = *problem.module->getOps<nest::FuncOp>().begin();
    problem.writes = problem.kernel.getNumBuffers() - 1;
    for (unsigned i = 0; i < problem.kernel.getNumBuffers(); ++i) {
      auto type = cast<MemRefType>(problem.kernel.getArgumentTypes()[i]);
      problem.buffers.push_back(
          i == 0
              ? randomTensor(type.getElementType(), type.getShape(), seed + i,
                             -9, 9, true)
              : HostTensor::undefined(type.getElementType(), type.getShape()));
    }
    std::string why;
    std::vector<HostTensor> want = results(problem, why);
    if (why.empty())
      why = native(problem.kernel, problem, want, seed);
    return why.empty() ? why : why + "\n" + text;
  }
};

/// Bindings: the two digits of a fused loop, split for lanes; the accesses put
/// them together again, exchange them or take one of them alone.
TEST_F(Lanes, DigitsOfABinding) {
  forSeeds(30, [&](uint64_t seed) {
    Random random(seed);
    int64_t divisor = random.in(1, 9), rows = random.in(1, 12);
    int64_t lanes = int64_t(1) << random.in(1, 4);
    int64_t size = divisor * rows, outer = (size + lanes - 1) / lanes;
    std::string f = llvm::formatv("(%fo * {0} + %fi)", lanes);
    // Between the two blocks a buffer, in registers where the seed is odd.
    return check(llvm::formatv(
                     R"mlir(
nest.func @kernel(%A: memref<{0}x{1}xf32>, %B: memref<{0}x{1}xf32>, %C: memref<{1}x{0}xf32>, %D: memref<{2}xf32>) {{
  nest.for %fo = 0 to {3} {{
    %T = nest.alloc : memref<{4}xf32{6}>
    nest.for %fi = 0 to {4} vectorize {{
      nest.block "T" (%vi : spatial = {5} floordiv {1} to {0}, %vj : spatial = {5} mod {1} to {1},
                      %vl : spatial = %fi to {4}) where ({2} - 1 - {5} >= 0) {{
        %a = memref.load %A[%vi, %vj] : memref<{0}x{1}xf32>
        %b = arith.addf %a, %a : f32
        memref.store %b, %T[%vl] : memref<{4}xf32{6}>
      }
    }
    nest.for %fi = 0 to {4} vectorize {{
      nest.block "B" (%vi : spatial = {5} floordiv {1} to {0}, %vj : spatial = {5} mod {1} to {1},
                      %vl : spatial = %fi to {4}, %vf : spatial = {5} to {2}) where ({2} - 1 - {5} >= 0) {{
        %t = memref.load %T[%vl] : memref<{4}xf32{6}>
        memref.store %t, %B[%vi, %vj] : memref<{0}x{1}xf32>
        memref.store %t, %C[%vj, %vi] : memref<{1}x{0}xf32>
        %i = arith.index_cast %vi : index to i32
        %r = arith.sitofp %i : i32 to f32
        %s = arith.addf %t, %r : f32
        memref.store %s, %D[%vf] : memref<{2}xf32>
      }
    }
  }
})mlir",
                     rows, divisor, size, outer, lanes, f,
                     seed % 2 ? ", \"register\"" : "")
                     .str(),
                 seed);
  });
}

/// Bodies: digits by index arithmetic, of an index with an offset and a
/// factor; where lanes share a digit they read the same element.
TEST_F(Lanes, DigitsInABody) {
  forSeeds(30, [&](uint64_t seed) {
    Random random(seed);
    int64_t divisor = random.in(1, 9), factor = random.in(1, 3);
    int64_t offset = random.in(0, 9), size = random.in(1, 40);
    int64_t lanes = int64_t(1) << random.in(1, 4);
    int64_t last = (size - 1) * factor + offset;
    return check(llvm::formatv(
                     R"mlir(
nest.func @kernel(%A: memref<{0}x{1}xi32>, %B: memref<{2}xi32>) {{
  nest.for %o = 0 to {3} {{
    nest.for %l = 0 to {4} vectorize {{
      nest.block "B" (%v : spatial = %o * {4} + %l to {2}) where (-%o * {4} - %l + {2} - 1 >= 0) {{
        %c = arith.constant {5} : index
        %d = arith.constant {6} : index
        %n = arith.constant {1} : index
        %m = arith.muli %v, %c : index
        %x = arith.addi %m, %d : index
        %q = arith.divui %x, %n : index
        %r = arith.remui %x, %n : index
        %a = memref.load %A[%q, %r] : memref<{0}x{1}xi32>
        memref.store %a, %B[%v] : memref<{2}xi32>
      }
    }
  }
})mlir",
                     last / divisor + 1, divisor, size,
                     (size + lanes - 1) / lanes, lanes, factor, offset)
                     .str(),
                 seed);
  });
}
} // namespace
