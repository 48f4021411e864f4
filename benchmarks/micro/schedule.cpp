// How fast schedules are made: primitives on a matmul, one core.
//
// Each primitive is timed alone on a fresh fork of a kernel prepared for it, so
// that neither the preparation nor earlier steps count; `items_per_second` is
// applications a second of the thread's CPU time, legality included. `cold`
// drops what the context remembers of integer sets. The last lines are the
// medians over the primitives.
#include "nestor/Schedule/Schedule.h"
#include "nestor/Analysis/StructuralHash.h"
#include "nestor/Schedule/ContextPool.h"
#include "nestor/Schedule/Extension.h"

#include "benchmark/benchmark.h"
#include "mlir/Parser/Parser.h"

#include <ctime>
#include <functional>
#include <map>
#include <sys/resource.h>
#include <unistd.h>

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

/// CPU time: what else the machine does is not counted.
double threadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + double(now.tv_nsec) * 1e-9;
}

using Step = std::function<bool(Prepared &)>;

/// What is timed, and what comes before it.
struct Entry {
  const char *name;
  bool tiled;
  Step step, prepare = nullptr;
};

void run(benchmark::State &state, const Entry &entry, bool cold) {
  std::unique_ptr<Kernel> kernel;
  Prepared base;
  auto prepare = [&]() {
    base = Prepared();
    kernel = std::make_unique<Kernel>();
    base = kernel->plain();
    if (entry.tiled)
      tile(base);
    return !entry.prepare || entry.prepare(base);
  };
  if (!prepare()) {
    state.SkipWithError("the preparation is refused");
    return;
  }
  for (auto _ : state) {
    if (cold)
      (void)prepare();
    Prepared copy{base.schedule->fork(), base.blocks, base.loops};
    double start = threadSeconds();
    bool done = entry.step(copy);
    double end = threadSeconds();
    if (!done) {
      state.SkipWithError("refused");
      return;
    }
    state.SetIterationTime(end - start);
  }
  state.SetItemsProcessed(state.iterations());
}

AffineExpr dim(Prepared &p, unsigned position) {
  return getAffineDimExpr(position,
                          nest::FuncOp(p.schedule->getFunc()).getContext());
}
AffineMap mapOf(unsigned dims, ArrayRef<AffineExpr> results) {
  return AffineMap::get(dims, 0, results, results.front().getContext());
}
/// Adds a copy of what mm reads first.
bool copied(Prepared &p) {
  auto copy = p.schedule->cacheRead(p.blocks[0], 0, "shared");
  if (copy)
    p.blocks.push_back(*copy);
  return bool(copy);
}
/// The same, in the loop k.
bool staged(Prepared &p) {
  return copied(p) && p.schedule->computeAt(p.blocks[2], p.loops[2]).isDone();
}
/// The epilogue in the tile.
bool epilogue(Prepared &p) {
  return p.schedule->reverseComputeAt(p.blocks[1], p.loops[1]).isDone();
}

const Entry kSteps[] = {
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
    {"get_child_blocks", true,
     [](Prepared &p) { return bool(p.schedule->getChildBlocks(p.loops[0])); }},
    {"get_producers", true,
     [](Prepared &p) { return bool(p.schedule->getProducers(p.blocks[1])); }},
    {"get_consumers", true,
     [](Prepared &p) { return bool(p.schedule->getConsumers(p.blocks[0])); }},
    {"get_output_blocks", true,
     [](Prepared &p) { return bool(p.schedule->getOutputBlocks()); }},
    {"sample_categorical", true,
     [](Prepared &p) {
       return bool(p.schedule->sampleCategorical({2, 4}, {0.5, 0.5}, {1}));
     }},
    {"sample_perfect_tile", true,
     [](Prepared &p) {
       return bool(p.schedule->samplePerfectTile(p.loops[0], 3, 16, {4, 8, 8}));
     }},
    {"sample_partitioned_tile", true,
     [](Prepared &p) {
       return bool(
           p.schedule->samplePartitionedTile(p.loops[0], 2, 1, 4, {16, 16}));
     }},
    {"sample_compute_location", true,
     [](Prepared &p) {
       return bool(p.schedule->sampleComputeLocation(p.blocks[2], {2}));
     },
     copied},
    {"loop_partition", false,
     [](Prepared &p) {
       return bool(p.schedule->loopPartition(p.loops[0], {100, -1}));
     }},
    {"merge", false,
     [](Prepared &p) {
       return bool(p.schedule->merge(p.loops[0], p.loops[3]));
     },
     [](Prepared &p) {
       p.loops.push_back(p.schedule->getLoops(p.blocks[1])->front());
       return true;
     }},
    {"reorder_block_iters", true,
     [](Prepared &p) {
       return p.schedule->reorderBlockIters(p.blocks[0], {1, 0, 2}).isDone();
     }},
    {"bind", true,
     [](Prepared &p) {
       return p.schedule->bind(p.loops[0], "block.x").isDone();
     }},
    {"annotate", true,
     [](Prepared &p) {
       Builder builder(nest::FuncOp(p.schedule->getFunc()).getContext());
       return p.schedule->annotate(p.loops[0], "note", builder.getUnitAttr())
           .isDone();
     }},
    {"compute_at", true,
     [](Prepared &p) {
       return p.schedule->computeAt(p.blocks[2], p.loops[2]).isDone();
     },
     copied},
    {"compute_inline", true,
     [](Prepared &p) {
       return p.schedule->computeInline(p.blocks[2]).isDone();
     },
     copied},
    {"reverse_compute_inline", true,
     [](Prepared &p) {
       return p.schedule->reverseComputeInline(p.blocks[2]).isDone();
     },
     [](Prepared &p) {
       auto copy = p.schedule->cacheWrite(p.blocks[1], 0, "shared");
       if (copy)
         p.blocks.push_back(*copy);
       return bool(copy);
     }},
    {"reindex", true,
     [](Prepared &p) {
       return bool(p.schedule->reindex(p.blocks[0], BufferRole::Read, 1));
     }},
    {"reindex_cache_read", true,
     [](Prepared &p) {
       return bool(p.schedule->reindexCacheRead(
           p.blocks[0], 1, "shared", mapOf(3, {dim(p, 1), dim(p, 2)})));
     }},
    {"cache_inplace", true,
     [](Prepared &p) {
       return bool(p.schedule->cacheInplace(p.blocks[0], 0, "shared"));
     }},
    {"storage_align", true,
     [](Prepared &p) {
       return p.schedule->storageAlign(p.blocks[0], 0, 0, 32, 8).isDone();
     }},
    {"fuse_epilogue", true,
     [](Prepared &p) {
       return p.schedule->fuseEpilogue(p.blocks[1], p.blocks[0]).isDone();
     }},
    {"split_k", false,
     [](Prepared &p) { return bool(p.schedule->splitK(p.loops[2], 4, 0)); }},
    {"blockize", true,
     [](Prepared &p) { return bool(p.schedule->blockize(p.loops[3])); },
     [](Prepared &p) {
       return bool(p.schedule->decomposeReduction(p.blocks[0], p.loops[2]));
     }},
    {"transform_block_layout", false,
     [](Prepared &p) {
       return p.schedule
           ->transformBlockLayout(p.blocks[1],
                                  mapOf(2, {dim(p, 0) * 1024 + dim(p, 1)}))
           .isDone();
     }},
    {"pad_einsum", false,
     [](Prepared &p) {
       return p.schedule->padEinsum(p.blocks[0], {48, 1, 1}).isDone();
     }},
    {"separate_full_partial", false,
     [](Prepared &p) {
       return bool(p.schedule->separateFullPartial(p.loops[3]));
     },
     [](Prepared &p) {
       auto parts = p.schedule->split(p.loops[0], {-1, 7});
       p.loops.push_back(parts->front());
       return true;
     }},
    {"shift", true,
     [](Prepared &p) {
       return p.schedule->shift(p.blocks[1], p.loops[1], 1).isDone();
     },
     epilogue},
    {"wavefront", false,
     [](Prepared &p) {
       return p.schedule->wavefront(p.loops[0], p.loops[1], 1).isDone();
     }},
    {"fuse_blocks", false,
     [](Prepared &p) {
       return p.schedule->fuseBlocks(p.blocks[0], p.blocks[1], {0, 0}).isDone();
     }},
    {"privatize", true,
     [](Prepared &p) {
       return p.schedule->privatize(p.blocks[2], 0, p.loops[2]).isDone();
     },
     staged},
    {"pipeline", true,
     [](Prepared &p) {
       return p.schedule->pipeline(p.loops[2], {0, 1}, {0, 1}).isDone();
     },
     [](Prepared &p) {
       return staged(p) &&
              p.schedule->privatize(p.blocks[2], 0, p.loops[2]).isDone();
     }},
    {"double_buffer", true,
     [](Prepared &p) {
       return p.schedule->doubleBuffer(p.blocks[2], 0).isDone();
     },
     [](Prepared &p) {
       return staged(p) &&
              p.schedule->privatize(p.blocks[2], 0, p.loops[2]).isDone();
     }},
    {"prefetch", true,
     [](Prepared &p) {
       return p.schedule->prefetch(p.blocks[0], 1, p.loops[2], 4).isDone();
     }},
    {"compact_buffers", true,
     [](Prepared &p) { return p.schedule->compactBuffers().isDone(); },
     epilogue},
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

/// Adds the median over the primitives, each by its slower kernel.
class Reporter : public benchmark::ConsoleReporter {
public:
  Reporter() : ConsoleReporter(isatty(1) ? OO_Color : OO_None) {}
  void ReportRuns(const std::vector<Run> &runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run &run : runs) {
      auto rate = run.counters.find("items_per_second");
      if (rate == run.counters.end())
        continue;
      std::string name = run.run_name.function_name;
      StringRef primitive = StringRef(name).split('/').first;
      auto &slowest = StringRef(name).contains("/cold") ? cold : warm;
      auto [at, added] = slowest.try_emplace(primitive.str(), rate->second);
      if (!added)
        at->second = std::min<double>(at->second, rate->second);
    }
  }
  void Finalize() override {
    for (auto [what, rates] : {std::pair("warm", &warm), {"cold", &cold}}) {
      std::vector<double> sorted;
      for (const auto &[name, rate] : *rates)
        sorted.push_back(rate);
      if (sorted.empty())
        continue;
      std::sort(sorted.begin(), sorted.end());
      GetOutputStream() << "median " << what << ": "
                        << int64_t(sorted[sorted.size() / 2])
                        << " applications/s over " << sorted.size()
                        << " primitives\n";
    }
  }

private:
  std::map<std::string, double> warm, cold;
};
} // namespace

int main(int argc, char **argv) {
  for (const auto &entry : kSteps)
    for (bool cold : {false, true}) {
      std::string name = std::string(entry.name) +
                         (entry.tiled ? "/tiled" : "") + (cold ? "/cold" : "");
      auto *registered = benchmark::RegisterBenchmark(
          name.c_str(),
          [&entry, cold](benchmark::State &state) { run(state, entry, cold); });
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
  Reporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  return 0;
}
