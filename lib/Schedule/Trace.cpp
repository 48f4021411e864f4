//===- Trace.cpp - Replay, simplification and decisions -------------------===//
//
// A recorded sequence runs again by copying its operations, one after the
// other, to the sequence of a new Schedule and calling what each stands for:
// the Transform interpreter has no part in it.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

#include "mlir/Dialect/Transform/TuneExtension/TuneExtensionOps.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;
using transform::tune::KnobOp;

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

/// The options of a knob; null unless they are integers.
static std::optional<Numbers> optionsOf(KnobOp knob) {
  Numbers options;
  auto domain = dyn_cast<ArrayAttr>(knob.getOptions());
  if (!domain)
    return std::nullopt;
  for (Attribute option : domain) {
    auto number = dyn_cast<IntegerAttr>(option);
    if (!number)
      return std::nullopt;
    options.push_back(number.getInt());
  }
  if (options.empty())
    return std::nullopt;
  return options;
}

static std::optional<int64_t> selectedOf(KnobOp knob) {
  auto selected = knob.getSelected()
                      ? dyn_cast<IntegerAttr>(*knob.getSelected())
                      : IntegerAttr();
  return selected ? std::optional<int64_t>(selected.getInt()) : std::nullopt;
}

static int64_t nearest(ArrayRef<int64_t> options, int64_t wanted) {
  return *std::min_element(options.begin(), options.end(),
                           [&](int64_t a, int64_t b) {
                             return std::abs(a - wanted) < std::abs(b - wanted);
                           });
}

static bool decides(Operation *op) {
  if (auto knob = dyn_cast<KnobOp>(op))
    return optionsOf(knob).has_value();
  return isa<SampleOpInterface>(op);
}

static Decision decisionOf(Operation *op) {
  if (auto knob = dyn_cast<KnobOp>(op)) {
    int64_t value = selectedOf(knob).value_or(optionsOf(knob)->front());
    return {Decision::Kind::Knob, knob.getName().str(), {value}};
  }
  auto sample = cast<SampleOpInterface>(op);
  return {sample.getDecisionKind(), "",
          sample.getDecided().value_or(Numbers())};
}

std::vector<Decision> Schedule::decisionsOf(ModuleOp sequence) {
  std::vector<Decision> found;
  for (Operation &op : mainOf(sequence).getBody().front())
    if (decides(&op))
      found.push_back(decisionOf(&op));
  return found;
}

std::vector<Decision> Schedule::decisions() const {
  return decisionsOf(*sequence);
}

void Schedule::simplify() {
  for (Operation &op : llvm::make_early_inc_range(
           llvm::reverse(mainOf(*sequence).getBody().front()))) {
    if (!op.use_empty() || !(op.hasTrait<Query>() || isa<KnobOp>(op)))
      continue;
    for (Value result : op.getResults()) {
      auto known = ids.find(result);
      if (known == ids.end())
        continue;
      if (isa<transform::ParamType>(result.getType()))
        params[known->second].recorded = Value();
      else
        table[known->second].recorded = Value();
      ids.erase(known);
    }
    op.erase();
  }
}

//===----------------------------------------------------------------------===//
// Replay
//===----------------------------------------------------------------------===//

/// The sequence for `func`.
static transform::NamedSequenceOp entryOf(ModuleOp sequence,
                                          nest::FuncOp func) {
  auto all = sequence.getOps<transform::NamedSequenceOp>();
  if (auto *own = sequence.lookupSymbol(func.getSymName()))
    if (auto named = dyn_cast<transform::NamedSequenceOp>(own))
      return named;
  return all.empty() ? transform::NamedSequenceOp() : *all.begin();
}

/// Takes the steps of a sequence over into a schedule, one by one.
class Schedule::Replayer {
public:
  Replayer(Schedule &schedule, const ReplayOptions &options)
      : schedule(schedule), options(options) {}

  /// All steps, or those before decision `upTo`, which is then `stoppedAt`.
  Outcome run(transform::NamedSequenceOp from, unsigned upTo = ~0u) {
    Block &body = from.getBody().front();
    if (body.getNumArguments() != 1)
      return Outcome::refused("the sequence takes more than the kernel");
    if (options.decisions) {
      size_t count =
          llvm::count_if(body, [](Operation &op) { return decides(&op); });
      if (options.decisions->size() != count)
        return Outcome::refused(
            "the schedule takes " + Twine(count) + " decisions, " +
            Twine(options.decisions->size()) + " are given");
    }
    map.map(body.getArgument(0), schedule.root());
    unsigned number = 0;
    for (Operation &op : body.without_terminator()) {
      ++number;
      if (decides(&op) && made == upTo) {
        stoppedAt = schedule.atEnd().clone(op, map);
        return Outcome::done();
      }
      Outcome outcome = step(op);
      if (outcome.isDone())
        continue;
      std::string where =
          ("step " + Twine(number) + ", " + op.getName().getStringRef()).str();
      if (!options.skipRefused || !outcome.isRefused()) {
        if (options.refused)
          *options.refused = &op;
        return std::move(outcome).within(where);
      }
      if (options.skipped)
        options.skipped->push_back(where + ": " + outcome.getText());
    }
    return Outcome::done();
  }

  Operation *stoppedAt = nullptr;

private:
  Outcome step(Operation &op) {
    const Decision *told = nullptr;
    bool choice = decides(&op);
    if (choice && options.decisions)
      told = &(*options.decisions)[made];
    made += choice;
    for (Value operand : op.getOperands())
      if (!map.contains(operand))
        return Outcome::refused(
            "it uses what a left out step would have given");
    Operation *copy = schedule.atEnd().clone(op, map);
    Outcome outcome = run(copy, told);
    if (outcome.isDone())
      return outcome;
    for (Value result : op.getResults())
      map.erase(result);
    copy->erase();
    return outcome;
  }

  Outcome run(Operation *copy, const Decision *told) {
    if (auto knob = dyn_cast<KnobOp>(copy))
      return turn(knob, told);
    if (auto sample = dyn_cast<SampleOpInterface>(copy)) {
      if (told && !told->value.empty())
        sample.setDecided(told->value);
      else if (options.random)
        if (Outcome outcome = schedule.drawFor(copy, *options.random);
            !outcome.isDone())
          return outcome;
    }
    if (isa<PrimitiveOpInterface>(copy))
      return schedule.run(copy);
    return Outcome::refused("it is no primitive; the Transform interpreter "
                            "runs such schedules");
  }

  Outcome turn(KnobOp knob, const Decision *told) {
    std::optional<Numbers> domain = optionsOf(knob);
    if (!domain)
      return Outcome::refused("the options of a knob are integers");
    int64_t value = selectedOf(knob).value_or(domain->front());
    if (told && told->value.size() == 1)
      value = told->value.front();
    else if (options.random)
      value = (*domain)[drawBelow(*options.random, domain->size())];
    value = nearest(*domain, value);
    Type type =
        cast<IntegerAttr>(cast<ArrayAttr>(knob.getOptions())[0]).getType();
    knob.setSelectedAttr(IntegerAttr::get(type, value));
    schedule.addParam(value, knob.getResult());
    return Outcome::done();
  }

  Schedule &schedule;
  const ReplayOptions &options;
  IRMapping map;
  unsigned made = 0;
};

Result<std::unique_ptr<Schedule>>
Schedule::replay(ModuleOp sequence, nest::FuncOp func,
                 const ReplayOptions &options) {
  transform::NamedSequenceOp entry = entryOf(sequence, func);
  if (!entry)
    return Outcome::refused("the schedule holds no transform.named_sequence");
  auto schedule = std::make_unique<Schedule>(func);
  if (Outcome outcome = Replayer(*schedule, options).run(entry);
      !outcome.isDone())
    return outcome;
  return schedule;
}

Result<std::unique_ptr<Schedule>>
Schedule::parse(StringRef text, nest::FuncOp func,
                const ReplayOptions &options) {
  MLIRContext *context = func.getContext();
  context->loadDialect<transform::TransformDialect>();
  std::string problems;
  ScopedDiagnosticHandler collect(context, [&](Diagnostic &diagnostic) {
    problems += (problems.empty() ? "" : "; ") + diagnostic.str();
    return success();
  });
  OwningOpRef<ModuleOp> sequence =
      parseSourceString<ModuleOp>(text, ParserConfig(context));
  if (!sequence)
    return Outcome::refused("the schedule cannot be read: " + problems);
  return replay(*sequence, func, options);
}

//===----------------------------------------------------------------------===//
// Other decisions
//===----------------------------------------------------------------------===//

namespace nestor::sched {
/// A copy of a kernel, scheduled up to a decision.
struct Schedule::Prefix {
  std::unique_ptr<Schedule> schedule;
  Operation *choice = nullptr;
};
} // namespace nestor::sched

Result<Schedule::Prefix> Schedule::before(ModuleOp sequence, nest::FuncOp func,
                                          unsigned index) {
  transform::NamedSequenceOp entry = entryOf(sequence, func);
  if (!entry)
    return Outcome::refused("the schedule holds no transform.named_sequence");
  Prefix prefix;
  prefix.schedule = Schedule(func).fork();
  ReplayOptions options;
  Replayer replayer(*prefix.schedule, options);
  if (Outcome outcome = replayer.run(entry, index); !outcome.isDone())
    return outcome;
  if (!replayer.stoppedAt)
    return Outcome::refused("the schedule has no decision " + Twine(index));
  prefix.choice = replayer.stoppedAt;
  return prefix;
}

Result<Domain> Schedule::domainOf(ModuleOp sequence, nest::FuncOp func,
                                  unsigned index) {
  Result<Prefix> prefix = before(sequence, func, index);
  if (!prefix)
    return prefix.getOutcome();
  Domain domain;
  if (auto knob = dyn_cast<KnobOp>(prefix->choice)) {
    Numbers options = *optionsOf(knob);
    for (int64_t option : options)
      domain.push_back({option});
    return domain;
  }
  TableInvocation at(*prefix->schedule, prefix->choice);
  if (Outcome outcome =
          cast<SampleOpInterface>(prefix->choice).domain(at, domain);
      !outcome.isDone())
    return outcome;
  return domain;
}

Result<std::vector<Decision>>
Schedule::mutate(ModuleOp sequence, nest::FuncOp func, Random &random) {
  std::vector<Decision> decisions = decisionsOf(sequence);
  if (decisions.empty())
    return decisions;
  unsigned index = drawBelow(random, decisions.size());
  Numbers &value = decisions[index].value;
  Result<Prefix> prefix = before(sequence, func, index);
  if (!prefix)
    return prefix.getOutcome();
  if (auto knob = dyn_cast<KnobOp>(prefix->choice)) {
    Numbers others = *optionsOf(knob);
    llvm::erase(others, value.front());
    if (!others.empty())
      value = {others[drawBelow(random, others.size())]};
    return decisions;
  }
  // Most domains are too large to be written out for one draw.
  TableInvocation at(*prefix->schedule, prefix->choice);
  auto sample = cast<SampleOpInterface>(prefix->choice);
  Numbers drawn = value;
  for (int tries = 0; tries < 16 && drawn == value; ++tries)
    if (Outcome outcome = sample.draw(at, random, drawn); !outcome.isDone())
      return outcome;
  value = drawn;
  return decisions;
}
