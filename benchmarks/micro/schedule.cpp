// How fast schedules are made: primitives on a matmul, one core.
//
// Each primitive is timed alone on a fresh fork of a kernel prepared for it, so
// that neither the preparation nor earlier steps count; `items_per_second` is
// applications a second, legality included. `cold` drops what the context
// remembers of integer sets.
#include "nestor/Schedule/Schedule.h"
#include "nestor/Analysis/StructuralHash.h"
#include "nestor/Schedule/ContextPool.h"
#include "nestor/Schedule/Extension.h"

#include "benchmark/benchmark.h"
#include "mlir/Parser/Parser.h"

#include <chrono>
#include <functional>
#include <sys/resource.h>

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

namespace {
const char *kMatmul = R"mlir(
nest.func @mm(%A: memref<1024x1024xf32>, %B: memref<1024x1024xf32>, %D: memref<1024x1024xf32>) {
  %C = nest.alloc : memref<1024x1024xf32>
  nest.for %i = 0 to 1024 {
    nest.for %j = 0 to 1024 {
      nest.for %k = 0 to 1024 {
        nest.block "mm" (%vi : spatial = %i to 1024, %vj : spatial = %j to 1024, %vk : reduce = %k to 1024) init {
          %z = arith.constant 0.0 : f32
          memref.store %z, %C[%vi, %vj] : memref<1024x1024xf32>
        } {
          %a = memref.load %A[%vi, %vk] : memref<1024x1024xf32>
          %b = memref.load %B[%vk, %vj] : memref<1024x1024xf32>
          %c = memref.load %C[%vi, %vj] : memref<1024x1024xf32>
          %m = arith.mulf %a, %b : f32
          %s = arith.addf %c, %m : f32
          memref.store %s, %C[%vi, %vj] : memref<1024x1024xf32>
        }
      }
    }
  }
  nest.for %i = 0 to 1024 {
    nest.for %j = 0 to 1024 {
      nest.block "relu" (%vi : spatial = %i to 1024, %vj : spatial = %j to 1024) {
        %z = arith.constant 0.0 : f32
        %c = memref.load %C[%vi, %vj] : memref<1024x1024xf32>
        %m = arith.maximumf %c, %z : f32
        memref.store %m, %D[%vi, %vj] : memref<1024x1024xf32>
      }
    }
  }
}
)mlir";

std::unique_ptr<MLIRContext> makeContext() {
  DialectRegistry registry;
  registry.insert<nest::NestDialect>();
  registerScheduleExtension(registry);
  auto context =
      std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  return context;
}

/// A schedule and the handles that a step needs.
struct Prepared {
  std::unique_ptr<Schedule> schedule;
  std::vector<BlockRef> blocks;
  LoopRefs loops;
};

/// A context with the kernel in it.
struct Kernel {
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(kMatmul, context.get());

  Prepared plain() {
    Prepared p;
    p.schedule =
        std::make_unique<Schedule>(*module->getOps<nest::FuncOp>().begin());
    p.blocks = {*p.schedule->getBlock("mm"), *p.schedule->getBlock("relu")};
    p.loops = *p.schedule->getLoops(p.blocks[0]);
    return p;
  }
};

/// Loops io jo k ii ji, epilogue untouched.
void tile(Prepared &p) {
  Schedule &s = *p.schedule;
  LoopRefs i = *s.split(p.loops[0], {-1, 4}),
           j = *s.split(p.loops[1], {-1, 16});
  LoopRefs order = {i[0], j[0], p.loops[2], i[1], j[1]};
  (void)s.reorder(order).isDone();
  p.loops = order;
}

using Step = std::function<bool(Prepared &)>;

void run(benchmark::State &state, bool tiled, bool cold, const Step &step) {
  auto kernel = std::make_unique<Kernel>();
  Prepared base = kernel->plain();
  if (tiled)
    tile(base);
  for (auto _ : state) {
    if (cold) {
      base = Prepared();
      kernel = std::make_unique<Kernel>();
      base = kernel->plain();
      if (tiled)
        tile(base);
    }
    Prepared copy{base.schedule->fork(), base.blocks, base.loops};
    auto start = std::chrono::steady_clock::now();
    bool done = step(copy);
    auto end = std::chrono::steady_clock::now();
    if (!done) {
      state.SkipWithError("refused");
      return;
    }
    state.SetIterationTime(std::chrono::duration<double>(end - start).count());
  }
  state.SetItemsProcessed(state.iterations());
}

const struct {
  const char *name;
  bool tiled;
  Step step;
} kSteps[] = {
    {"get_block", false,
     [](Prepared &p) { return bool(p.schedule->getBlock("mm")); }},
    {"get_loops", false,
     [](Prepared &p) { return bool(p.schedule->getLoops(p.blocks[0])); }},
    {"split", false,
     [](Prepared &p) { return bool(p.schedule->split(p.loops[0], {-1, 7})); }},
    {"fuse", false,
     [](Prepared &p) {
       return bool(p.schedule->fuse({p.loops[0], p.loops[1]}));
     }},
    {"reorder", false,
     [](Prepared &p) {
       return p.schedule->reorder({p.loops[2], p.loops[0]}).isDone();
     }},
    {"reorder", true,
     [](Prepared &p) {
       return p.schedule->reorder({p.loops[1], p.loops[0]}).isDone();
     }},
    {"add_unit_loop", false,
     [](Prepared &p) { return bool(p.schedule->addUnitLoop(p.blocks[0])); }},
    {"vectorize", true,
     [](Prepared &p) { return p.schedule->vectorize(p.loops[4]).isDone(); }},
    {"unroll", true,
     [](Prepared &p) { return p.schedule->unroll(p.loops[3]).isDone(); }},
    {"parallel", true,
     [](Prepared &p) { return p.schedule->parallel(p.loops[0]).isDone(); }},
    {"skew", true,
     [](Prepared &p) {
       return p.schedule->skew(p.loops[1], p.loops[0], 1).isDone();
     }},
    {"reverse", true,
     [](Prepared &p) { return p.schedule->reverse(p.loops[0]).isDone(); }},
    {"split_domain", true,
     [](Prepared &p) {
       MLIRContext *context = nest::FuncOp(p.schedule->getFunc()).getContext();
       AffineMap half =
           AffineMap::get(1, 0, 100 - getAffineDimExpr(0, context), context);
       return bool(p.schedule->splitDomain(p.loops[0], half));
     }},
    {"cache_read", true,
     [](Prepared &p) {
       return bool(p.schedule->cacheRead(p.blocks[0], 0, "shared"));
     }},
    {"cache_write", true,
     [](Prepared &p) {
       return bool(p.schedule->cacheWrite(p.blocks[0], 0, "register"));
     }},
    {"set_scope", true,
     [](Prepared &p) {
       return p.schedule->setScope(p.blocks[0], 0, "shared").isDone();
     }},
    {"reverse_compute_at", true,
     [](Prepared &p) {
       return p.schedule->reverseComputeAt(p.blocks[1], p.loops[1]).isDone();
     }},
    {"decompose_reduction", true,
     [](Prepared &p) {
       return bool(p.schedule->decomposeReduction(p.blocks[0], p.loops[2]));
     }},
    {"rfactor", false,
     [](Prepared &p) {
       LoopRefs k = *p.schedule->split(p.loops[2], {4, -1});
       return bool(p.schedule->rfactor(k[0], 0));
     }},
    {"transform_layout", true,
     [](Prepared &p) {
       MLIRContext *context = nest::FuncOp(p.schedule->getFunc()).getContext();
       AffineExpr d0 = getAffineDimExpr(0, context),
                  d1 = getAffineDimExpr(1, context);
       return p.schedule
           ->transformLayout(
               p.blocks[0], BufferRole::Read, 1,
               AffineMap::get(2, 0, {d1.floorDiv(16), d0, d1 % 16}, context))
           .isDone();
     }},
};

void fork(benchmark::State &state) {
  Kernel kernel;
  Prepared base = kernel.plain();
  tile(base);
  for (auto _ : state)
    benchmark::DoNotOptimize(base.schedule->fork());
}

void hash(benchmark::State &state) {
  Kernel kernel;
  Prepared base = kernel.plain();
  tile(base);
  for (auto _ : state)
    benchmark::DoNotOptimize(
        analysis::structuralHash(base.schedule->getFunc()));
}

/// A sequence of 30 steps, read back.
void replay(benchmark::State &state) {
  Kernel kernel;
  OwningOpRef<ModuleOp> original = kernel.module->clone();
  Prepared p = kernel.plain();
  tile(p);
  for (int i = 0; i < 27; ++i)
    (void)bool(p.schedule->addUnitLoop(p.blocks[1]));
  ModuleOp sequence = p.schedule->getSequence();
  for (auto _ : state) {
    state.PauseTiming();
    OwningOpRef<ModuleOp> copy = original->clone();
    nest::FuncOp func = *copy->getOps<nest::FuncOp>().begin();
    state.ResumeTiming();
    if (!Schedule::replay(sequence, func))
      state.SkipWithError("refused");
    state.PauseTiming();
    copy = OwningOpRef<ModuleOp>();
    state.ResumeTiming();
  }
}

/// 100,000 schedules of one kernel in one process, with drawn decisions.
void search(benchmark::State &state) {
  ContextPool pool(makeContext, kMatmul);
  Random random(1);
  for (auto _ : state)
    for (int i = 0; i < 100000; ++i) {
      auto lease = pool.take();
      Schedule &s = lease->getSchedule();
      BlockRef mm = *s.getBlock("mm"), relu = *s.getBlock("relu");
      LoopRefs loops = *s.getLoops(mm), tiled;
      for (LoopRef loop : loops)
        for (LoopRef part :
             *s.split(loop, *s.samplePerfectTile(loop, 3, 64, random)))
          tiled.push_back(part);
      bool done = s.reorder({tiled[0], tiled[3], tiled[6], tiled[1], tiled[4],
                             tiled[7], tiled[2], tiled[5], tiled[8]})
                      .isDone() &&
                  s.reverseComputeAt(relu, tiled[3]).isDone() &&
                  s.unroll(tiled[2]).isDone() && s.parallel(tiled[0]).isDone();
      if (!done)
        state.SkipWithError("refused");
      benchmark::DoNotOptimize(s.print());
    }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  state.counters["peak_rss_mb"] = double(usage.ru_maxrss) / 1024;
  state.counters["contexts"] = pool.countContexts();
}
} // namespace

int main(int argc, char **argv) {
  for (const auto &entry : kSteps)
    for (bool cold : {false, true}) {
      std::string name = std::string(entry.name) +
                         (entry.tiled ? "/tiled" : "") + (cold ? "/cold" : "");
      auto *registered = benchmark::RegisterBenchmark(
          name.c_str(), [&entry, cold](benchmark::State &state) {
            run(state, entry.tiled, cold, entry.step);
          });
      registered->UseManualTime();
      // A fresh context each time costs a hundred applications.
      if (cold)
        registered->Iterations(200);
    }
  benchmark::RegisterBenchmark("fork", fork);
  benchmark::RegisterBenchmark("structural_hash", hash);
  benchmark::RegisterBenchmark("replay_30_steps", replay);
  benchmark::RegisterBenchmark("search_100000_schedules", search)
      ->Iterations(1)
      ->Unit(benchmark::kSecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
