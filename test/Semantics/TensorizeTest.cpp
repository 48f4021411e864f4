// Contractions on tensor instructions: every way that there is to lay one onto
// an intrinsic, and the default schedule of targets with and without these
// instructions, mean the same as the kernel, by the interpreter and by native
// code (which emulates what this machine lacks). Data are small whole numbers,
// so results are equal to the last bit.
//
// NESTOR_SEMANTICS_SEED, _CASES: see SemanticsBase.h; one case is one shape.
#include "SemanticsBase.h"

#include "nestor/Analysis/Blocks.h"
#include "nestor/Rules/Rules.h"
#include "nestor/Rules/Tensorize.h"

#include "fmt/format.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace nestor;

namespace {
/// Sum of iterator * factor.
using Term = std::vector<std::pair<unsigned, int64_t>>;

/// result[..] += widen(a[..]) * widen(b[..]).
struct Kind {
  const char *name;
  /// s: spatial, r: reduce.
  const char *kinds;
  std::vector<Term> a, b, c;
};

Term at(unsigned iterator, int64_t factor = 1) { return {{iterator, factor}}; }
Term at2(unsigned i, int64_t f, unsigned j, int64_t g) {
  return {{i, f}, {j, g}};
}

const std::vector<Kind> &kinds() {
  static const std::vector<Kind> all = {
      {"matmul", "ssr", {at(0), at(2)}, {at(2), at(1)}, {at(0), at(1)}},
      {"transposed weights",
       "ssr",
       {at(0), at(2)},
       {at(1), at(2)},
       {at(0), at(1)}},
      {"batched matmul",
       "sssr",
       {at(0), at(1), at(3)},
       {at(0), at(3), at(2)},
       {at(0), at(1), at(2)}},
      {"attention scores",
       "ssssr",
       {at(0), at(2), at(1), at(4)},
       {at(0), at(3), at(1), at(4)},
       {at(0), at(1), at(2), at(3)}},
      {"attention values",
       "ssssr",
       {at(0), at(1), at(2), at(4)},
       {at(0), at(4), at(1), at(3)},
       {at(0), at(2), at(1), at(3)}},
      {"conv 1d",
       "sssrr",
       {at(0), at2(1, 1, 3, 1), at(4)},
       {at(3), at(4), at(2)},
       {at(0), at(1), at(2)}},
      {"conv 2d",
       "ssssrrr",
       {at(0), at2(1, 1, 4, 1), at2(2, 1, 5, 1), at(6)},
       {at(4), at(5), at(6), at(3)},
       {at(0), at(1), at(2), at(3)}},
      {"conv 2d strided and dilated",
       "ssssrrr",
       {at(0), at2(1, 2, 4, 2), at2(2, 2, 5, 1), at(6)},
       {at(4), at(5), at(6), at(3)},
       {at(0), at(1), at(2), at(3)}},
      {"conv 3d",
       "sssssrrrr",
       {at(0), at2(1, 1, 5, 1), at2(2, 1, 6, 1), at2(3, 1, 7, 1), at(8)},
       {at(5), at(6), at(7), at(8), at(4)},
       {at(0), at(1), at(2), at(3), at(4)}},
      {"grouped conv 2d",
       "sssssrrr",
       {at(0), at2(1, 1, 5, 1), at2(2, 1, 6, 1), at(3), at(7)},
       {at(5), at(6), at(3), at(7), at(4)},
       {at(0), at(1), at(2), at(3), at(4)}},
      // Over an input with zeros between its elements, the filter turned round
      // by its layout.
      {"transposed conv 1d",
       "sssrr",
       {at(0), at2(1, 1, 3, 1), at(4)},
       {at(3), at(2), at(4)},
       {at(0), at(1), at(2)}},
      {"channels first",
       "ssssrrr",
       {at(0), at(4), at2(2, 1, 5, 1), at2(3, 1, 6, 1)},
       {at(1), at(4), at(5), at(6)},
       {at(0), at(1), at(2), at(3)}},
      {"einsum",
       "sssrr",
       {at(3), at(0), at(4), at(1)},
       {at(4), at(2), at(3)},
       {at(2), at(0), at(1)}},
  };
  return all;
}

struct Types {
  const char *a, *extendA, *b, *extendB, *sum;
};
const Types kTypes[] = {
    {"i8", "extui", "i8", "extsi", "i32"},
    {"i8", "extsi", "i8", "extsi", "i32"},
    {"i8", "extui", "i8", "extui", "i32"},
    {"bf16", "extf", "bf16", "extf", "f32"},
    {"i16", "extsi", "i16", "extsi", "i32"},
};

class Text {
public:
  /// `dynamic`: the first iterator runs to a size.
  Text(const Kind &kind, const Types &types, ArrayRef<int64_t> extents,
       bool dynamic)
      : kind(kind), types(types), extents(extents), dynamic(dynamic) {}

  std::string run(bool constantB) {
    std::string out, loops, its, close;
    for (size_t i = 0; i < extents.size(); ++i) {
      loops += fmt::format("nest.for %i{} = 0 to {} {{\n", i, extentOf(i));
      its += fmt::format("{}%v{} : {} = %i{} to {}", i ? ", " : "", i,
                         kind.kinds[i] == 's' ? "spatial" : "reduce", i,
                         extentOf(i));
      close += "}\n";
    }
    std::string ta = memref(kind.a, types.a), tb = memref(kind.b, types.b),
                tc = memref(kind.c, types.sum);
    bool isFloat = types.sum[0] == 'f';
    out = fmt::format("nest.func @f(%A: {}, %B: {}{}, %C: {}", ta, tb,
                      constantB ? " {nest.constant}" : "", tc);
    if (dynamic)
      out += fmt::format(", %n: index {{nest.min = 1 : i64}}) attributes "
                         "{{shapes = [{}, {}, {}]}} {{\n",
                         shape(kind.a), shape(kind.b), shape(kind.c));
    else
      out += ") {\n";
    std::string zero = fmt::format("%z = arith.constant {} : {}\n",
                                   isFloat ? "0.0" : "0", types.sum);
    std::string ci = indices(kind.c);
    body.clear();
    std::string ai = indices(kind.a), bi = indices(kind.b);
    std::string adds = body;
    out += loops + "nest.block \"C\" (" + its + ") init {\n" + zero +
           "memref.store %z, %C[" + ci + "] : " + tc + "\n} {\n" + adds;
    out += fmt::format("%a = memref.load %A[{}] : {}\n"
                       "%b = memref.load %B[{}] : {}\n"
                       "%c = memref.load %C[{}] : {}\n"
                       "%x = arith.{} %a : {} to {}\n"
                       "%y = arith.{} %b : {} to {}\n",
                       ai, ta, bi, tb, ci, tc, types.extendA, types.a,
                       types.sum, types.extendB, types.b, types.sum);
    const char *f = isFloat ? "f" : "i";
    out += fmt::format("%p = arith.mul{} %x, %y : {}\n"
                       "%s = arith.add{} %c, %p : {}\n"
                       "memref.store %s, %C[{}] : {}\n",
                       f, types.sum, f, types.sum, ci, tc);
    return out + "}\n" + close + "}\n";
  }

private:
  std::string memref(const std::vector<Term> &terms, const char *element) {
    std::string text = "memref<";
    for (const Term &term : terms)
      text += isDynamic(term) ? "?x" : fmt::format("{}x", sizeOf(term));
    return text + element + ">";
  }
  std::string shape(const std::vector<Term> &terms) {
    std::string dims;
    for (const Term &term : terms)
      dims += (dims.empty() ? "" : ", ") +
              (isDynamic(term) ? "s0" : std::to_string(sizeOf(term)));
    return "affine_map<()[s0] -> (" + dims + ")>";
  }
  std::string extentOf(size_t iterator) {
    return dynamic && iterator == 0 ? "symbol(%n)"
                                    : std::to_string(extents[iterator]);
  }
  bool isDynamic(const Term &term) {
    return dynamic && term.front().first == 0;
  }
  int64_t sizeOf(const Term &term) {
    int64_t size = 1;
    for (auto [iterator, factor] : term)
      size += (extents[iterator] - 1) * factor;
    return size;
  }
  std::string op(const std::string &text) {
    std::string name = fmt::format("%t{}", values++);
    body += name + " = " + text + "\n";
    return name;
  }
  std::string indices(const std::vector<Term> &terms) {
    std::string list;
    for (const Term &term : terms) {
      std::string sum;
      for (auto [iterator, factor] : term) {
        std::string value = fmt::format("%v{}", iterator);
        if (factor != 1) {
          std::string by = op(fmt::format("arith.constant {} : index", factor));
          value = op(fmt::format("arith.muli {}, {} : index", value, by));
        }
        sum = sum.empty()
                  ? value
                  : op(fmt::format("arith.addi {}, {} : index", sum, value));
      }
      list += (list.empty() ? "" : ", ") + sum;
    }
    return list;
  }

  const Kind &kind;
  const Types &types;
  ArrayRef<int64_t> extents;
  std::string body;
  int values = 0;
  bool dynamic;
};

class Tensorize : public Semantics {
protected:
  /// A kind of contraction with a random shape; in `info` what it is.
  Problem problemOf(const Kind &kind, uint64_t seed, std::string &info);
  std::string allWays(const Kind &kind, uint64_t seed);
  std::string byDefault(const Kind &kind, uint64_t seed);
};

Problem Tensorize::problemOf(const Kind &kind, uint64_t seed,
                             std::string &info) {
  Random random(seed * 31 + 7);
  const Types &types =
      kTypes[seed < 4 ? seed % 4 : random.in(0, std::size(kTypes) - 1)];
  // Primes, 1, multiples and what is near them; few steps together.
  static const int64_t some[] = {1,  2,  3,  4,  5,  7,  8,  12,
                                 13, 16, 17, 19, 32, 33, 37, 64};
  std::vector<int64_t> extents(strlen(kind.kinds), 1);
  int64_t steps = 1;
  for (int64_t &extent : extents) {
    extent = some[random.in(0, std::size(some) - 1)];
    if (extents.size() > 4 && extent > 8)
      extent = random.in(1, 5);
    while (steps * extent > 60'000)
      extent = (extent + 1) / 2;
    steps *= extent;
  }
  Problem problem;
  bool dynamic = random.chance(30);
  problem.text = Text(kind, types, extents, dynamic).run(random.chance(60));
  if (dynamic)
    problem.sizes.push_back(extents[0]);
  problem.module = parseSourceString<ModuleOp>(problem.text, &context);
  info = fmt::format("{} of {}, {}: {}\n", kind.name, types.a, types.extendA,
                     fmt::join(extents, " "));
  if (!problem.module)
    return problem;
  problem.kernel = *problem.module->getOps<nest::FuncOp>().begin();
  problem.writes = 1;
  for (unsigned i = 0; i < 3; ++i) {
    auto type = cast<MemRefType>(problem.kernel.getArgumentTypes()[i]);
    SmallVector<int64_t> dims;
    if (!kernelDims(problem.kernel, i, problem.sizes, dims))
      info += "a shape has no value\n";
    problem.buffers.push_back(
        i == 2
            ? HostTensor::undefined(type.getElementType(), dims)
            : randomTensor(type.getElementType(), dims, seed + i, -3, 3, true));
  }
  return problem;
}

std::string Tensorize::allWays(const Kind &kind, uint64_t seed) {
  std::string info, why;
  Problem problem = problemOf(kind, seed, info);
  if (!problem.module)
    return "the text is invalid\n" + problem.text;
  std::vector<HostTensor> want = results(problem, why);
  if (!why.empty())
    return why + problem.text;
  nest::BlockOp block = analysis::blocksIn(problem.kernel).front();
  Target target = Target::host();
  Random random(seed);
  std::vector<TensorWay> ways = tensorWays(block, target);
  sched::Schedule origin(problem.kernel);
  auto ref = origin.getBlock("C");
  std::map<std::string, unsigned> done;
  for (const TensorWay &way : ways) {
    // Some of each intrinsic: the first one, and others by chance.
    if (done[way.intrinsic]++ > 0 && !random.chance(10))
      continue;
    std::unique_ptr<sched::Schedule> s = origin.fork();
    auto report = [&](const std::string &text) {
      return info + way.intrinsic + " by " + way.mapping + ": " + text + "\n" +
             problem.text + "\n" + print(s->getFunc()) + "\n" + s->print();
    };
    sched::Outcome outcome = tensorizeBy(*s, *ref, way, target);
    if (!outcome.isDone())
      return report("refused: " + outcome.getText());
    bool found = false;
    s->getFunc().walk([&](nest::BlockOp op) {
      DictionaryAttr annotations = op.getAnnotationsAttr();
      found |= annotations && annotations.contains(nest::kIntrinsic);
    });
    if (!found)
      return report("no block is tensorized");
    why = meaning(s->getFunc(), problem, want, seed, false, 40'000'000);
    if (!why.empty() && why != kOverBudget)
      return report(why);
    why = native(s->getFunc(), problem, want, seed);
    if (!why.empty())
      return report("native: " + why);
  }
  return "";
}

std::string Tensorize::byDefault(const Kind &kind, uint64_t seed) {
  std::string info, why;
  Problem problem = problemOf(kind, seed, info);
  if (!problem.module)
    return "the text is invalid\n" + problem.text;
  std::vector<HostTensor> want = results(problem, why);
  if (!why.empty())
    return why + problem.text;
  static const char *names[] = {"x86-64-v3", "x86-64-v4+avx512vnni+avx512bf16",
                                "x86-64-v3+avxvnni",
                                "x86-64-v4+avx512vnni+amx-int8+amx-bf16"};
  for (const char *name : names) {
    llvm::Expected<Target> target = Target::parse(name);
    if (!target)
      return text(target.takeError());
    OwningOpRef<ModuleOp> copy = problem.module->clone();
    nest::FuncOp kernel = *copy->getOps<nest::FuncOp>().begin();
    DefaultSchedule schedule = scheduleKernel(kernel, *target);
    auto report = [&](const std::string &text) {
      std::string all = info + "for " + name + ": " + text + "\n" +
                        problem.text + "\n" + print(kernel);
      for (const std::string &refusal : schedule.refusals)
        all += "\nrefused: " + refusal;
      return all;
    };
    why = meaning(kernel, problem, want, seed, false, 40'000'000);
    if (!why.empty() && why != kOverBudget)
      return report(why);
    why = native(kernel, problem, want, seed);
    if (!why.empty())
      return report("native: " + why);
  }
  return "";
}

TEST_F(Tensorize, EveryWayMeansTheSame) {
  forSeeds(kinds().size(), [&](uint64_t seed) {
    return allWays(kinds()[seed % kinds().size()], seed);
  });
}

TEST_F(Tensorize, DefaultSchedulesMeanTheSame) {
  forSeeds(2 * kinds().size(), [&](uint64_t seed) {
    return byDefault(kinds()[seed % kinds().size()], seed);
  });
}
} // namespace
