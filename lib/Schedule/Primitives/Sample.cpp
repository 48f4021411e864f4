//===- Sample.cpp - sample_categorical, sample_compute_location -----------===//
//
// Choices whose domain the nest decides when they are made. A decision that
// does not fit (another shape, a mutation) is repaired, so that a recorded
// schedule runs on: an index becomes the nearest one, a location the nearest
// legal loop further out, or no move.
//
//===----------------------------------------------------------------------===//
#include "Sample.h"

#include "../Rewrite.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

static Outcome checkCandidates(SampleCategoricalOp op) {
  if (op.getCandidates().empty())
    return Outcome::refused("there is no candidate to choose");
  if (op.getProbabilities().size() != op.getCandidates().size())
    return Outcome::refused(
        Twine(op.getCandidates().size()) + " candidates have " +
        Twine(op.getProbabilities().size()) + " probabilities");
  if (llvm::any_of(op.getProbabilities(),
                   [](double p) { return !(p >= 0) || p > 1e9; }) ||
      llvm::all_of(op.getProbabilities(), [](double p) { return p == 0; }))
    return Outcome::refused("probabilities are not negative, and one of them "
                            "is positive");
  return Outcome::done();
}

Outcome SampleCategoricalOp::domain(Invocation &, Domain &into) {
  if (Outcome outcome = checkCandidates(*this); !outcome.isDone())
    return outcome;
  for (auto [i, probability] : llvm::enumerate(getProbabilities()))
    if (probability > 0)
      into.push_back({int64_t(i)});
  return Outcome::done();
}

Outcome SampleCategoricalOp::draw(Invocation &, Random &random, Numbers &into) {
  if (Outcome outcome = checkCandidates(*this); !outcome.isDone())
    return outcome;
  double sum = 0;
  for (double probability : getProbabilities())
    sum += probability;
  double point = double(random() >> 11) * 0x1p-53 * sum;
  int64_t chosen = -1;
  for (auto [i, probability] : llvm::enumerate(getProbabilities())) {
    if (probability <= 0)
      continue;
    chosen = i;
    if (point < probability)
      break;
    point -= probability;
  }
  into = {chosen};
  return Outcome::done();
}

Outcome SampleCategoricalOp::repair(Invocation &,
                                    std::optional<Numbers> decision,
                                    Numbers &into) {
  if (Outcome outcome = checkCandidates(*this); !outcome.isDone())
    return outcome;
  ArrayRef<double> probabilities = getProbabilities();
  if (decision && decision->size() == 1)
    into = {
        std::clamp<int64_t>(decision->front(), 0, getCandidates().size() - 1)};
  else
    into = {llvm::max_element(probabilities) - probabilities.begin()};
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Locations
//===----------------------------------------------------------------------===//

Outcome sched::computeAtLocation(RewriterBase &rewriter, nest::BlockOp block,
                                 int64_t location) {
  if (location == -1)
    return Outcome::done();
  if (location == -2)
    return computeInline(rewriter, block);
  Result<Blocks> consumers = getConsumers(block);
  if (!consumers)
    return consumers.getOutcome();
  if (consumers->empty())
    return Outcome::refused(describe(block) + " has no consumer")
        .note(block, "what it writes is read by no other block");
  Result<Loops> loops = getLoops(consumers->front());
  if (!loops)
    return loops.getOutcome();
  if (location < 0 || location >= int64_t(loops->size()))
    return Outcome::refused("there is no location " + Twine(location))
        .note(consumers->front(),
              "the first consumer is in " + Twine(loops->size()) + " loops");
  return computeAt(rewriter, block, (*loops)[location]);
}

/// Tried on a copy of the function.
static bool worksAt(nest::BlockOp block, int64_t location) {
  if (location == -1)
    return true;
  nest::FuncOp func = funcOf(block);
  IRMapping map;
  Operation *copy = func->clone(map);
  IRRewriter rewriter(func.getContext());
  Outcome outcome = computeAtLocation(
      rewriter, cast<nest::BlockOp>(map.lookup(block.getOperation())),
      location);
  copy->erase();
  return outcome.isDone();
}

/// The number of loops around the first consumer.
static int64_t countLocations(nest::BlockOp block) {
  Result<Blocks> consumers = getConsumers(block);
  if (!consumers || consumers->empty())
    return 0;
  Result<Loops> loops = getLoops(consumers->front());
  return loops ? loops->size() : 0;
}

Numbers sched::computeLocations(nest::BlockOp block) {
  Numbers legal;
  for (int64_t location = -2, n = countLocations(block); location < n;
       ++location)
    if (worksAt(block, location))
      legal.push_back(location);
  return legal;
}

Outcome SampleComputeLocationOp::domain(Invocation &at, Domain &into) {
  nest::BlockOp block;
  if (Outcome outcome = at.get(getBlock(), block); !outcome.isDone())
    return outcome;
  for (int64_t location : computeLocations(block))
    into.push_back({location});
  return Outcome::done();
}

Outcome SampleComputeLocationOp::draw(Invocation &at, Random &random,
                                      Numbers &into) {
  nest::BlockOp block;
  if (Outcome outcome = at.get(getBlock(), block); !outcome.isDone())
    return outcome;
  Numbers legal = computeLocations(block);
  into = {legal[drawBelow(random, legal.size())]};
  return Outcome::done();
}

Outcome SampleComputeLocationOp::repair(Invocation &at,
                                        std::optional<Numbers> decision,
                                        Numbers &into) {
  nest::BlockOp block;
  if (Outcome outcome = at.get(getBlock(), block); !outcome.isDone())
    return outcome;
  int64_t location = decision && decision->size() == 1
                         ? std::max<int64_t>(decision->front(), -2)
                         : -1;
  location = std::min(location, countLocations(block) - 1);
  if (location == -2 && !worksAt(block, -2))
    location = -1;
  while (location >= 0 && !worksAt(block, location))
    --location;
  into = {location};
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Outcome sched::runSample(Operation *op, Invocation &at) {
  auto sample = cast<SampleOpInterface>(op);
  Numbers decision;
  if (Outcome outcome = sample.repair(at, sample.getDecided(), decision);
      !outcome.isDone())
    return outcome;
  if (at.records())
    sample.setDecided(decision);
  return at.give(sample.valuesOf(decision));
}

NESTOR_SAMPLE(SampleCategoricalOp, Categorical, numberAttr)
NESTOR_SAMPLE(SampleComputeLocationOp, Location, numberAttr)

Numbers SampleCategoricalOp::valuesOf(ArrayRef<int64_t> decision) {
  return {getCandidates()[decision.front()]};
}
Numbers SampleComputeLocationOp::valuesOf(ArrayRef<int64_t> decision) {
  return Numbers(decision);
}

NESTOR_PRIMITIVE(sample_categorical) = {
    .name = "sample_categorical",
    .family = "sample",
    .does = "Chooses one of several numbers, with probabilities.",
    .law = "",
    .refuses = "no candidates\n"
               "probabilities that are not as many as the "
               "candidates, are negative, or are all 0",
    .syntax = "%number = sample_categorical [A, B, ...] with [P, "
              "Q, ...] decision INDEX",
    .notes = R"(
Without a decision it is the likeliest. A decision outside of the list becomes the
nearest one that is in it.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  nest.for %i = 0 to 16 {
    nest.block "B" (%v : spatial = %i to 16) {
      %a = memref.load %A[%v] : memref<16xf32>
      memref.store %a, %B[%v] : memref<16xf32>
    }
  }
}
)",
    .schedule = R"(
%b = get_block "B" in %root
%i = get_loops %b : 1
%f = sample_categorical [2, 4, 8] with [0.5, 0.25, 0.25] decision 1
%io, %ii = split %i by [-1, %f] : 2
)",
};

NESTOR_PRIMITIVE(sample_compute_location) = {
    .name = "sample_compute_location",
    .family = "sample",
    .does = "Chooses where a block is computed: at a loop of its "
            "consumer, inlined, or where it is.",
    .law = "",
    .refuses = "",
    .syntax = "%location = sample_compute_location %block decision "
              "LOOP",
    .notes = R"(
The number is that of a loop around the first consumer, outermost 0; -1 leaves the
block where it is, as does no decision; -2 inlines it. Its domain is what
`compute_at` and `compute_inline` do not refuse. A decision that is not in it moves
to the nearest legal loop further out.
)",
    .before = R"(
nest.func @f(%A: memref<16xf32>, %B: memref<16xf32>) {
  %T = nest.alloc : memref<16xf32>
  nest.for %a = 0 to 16 {
    nest.block "P" (%v : spatial = %a to 16) {
      %x = memref.load %A[%v] : memref<16xf32>
      %y = arith.addf %x, %x : f32
      memref.store %y, %T[%v] : memref<16xf32>
    }
  }
  nest.for %i = 0 to 4 {
    nest.for %j = 0 to 4 {
      nest.block "C" (%v : spatial = %i * 4 + %j to 16) {
        %t = memref.load %T[%v] : memref<16xf32>
        %c = arith.negf %t : f32
        memref.store %c, %B[%v] : memref<16xf32>
      }
    }
  }
}
)",
    .schedule = R"(
%p = get_block "P" in %root
%l = sample_compute_location %p decision 0
compute_at %p location %l
)",
};
