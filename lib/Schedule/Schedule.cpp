//===- Schedule.cpp - A kernel and the schedule applied to it -------------===//
//
// See the header: the table of handles, knobs, the sequence and forks. The
// methods of primitives are in <Family>Methods.cpp, replay in Trace.cpp.
//
//===----------------------------------------------------------------------===//
#include "nestor/Schedule/Schedule.h"

#include "Methods.h"

#include "mlir/Dialect/Transform/TuneExtension/TuneExtensionOps.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

/// Empties handles to what primitives erase.
class Schedule::Watcher : public RewriterBase::Listener {
public:
  explicit Watcher(Schedule &schedule) : schedule(schedule) {}

  void notifyOperationErased(Operation *op) override {
    for (Entry &entry : schedule.table)
      if (entry.op == op)
        entry.op = nullptr;
  }

private:
  Schedule &schedule;
};

Schedule::Schedule(Fork, nest::FuncOp func)
    : func(func), watcher(std::make_unique<Watcher>(*this)),
      rewriter(std::make_unique<IRRewriter>(func.getContext(), watcher.get())) {
}

Schedule::Schedule(nest::FuncOp func) : Schedule(Fork{}, func) {
  MLIRContext *context = func.getContext();
  context->loadDialect<transform::TransformDialect>();
  Location loc = UnknownLoc::get(context);
  sequence = ModuleOp::create(loc);
  (*sequence)->setAttr(transform::TransformDialect::kWithNamedSequenceAttrName,
                       UnitAttr::get(context));
  OpBuilder builder(context);
  builder.setInsertionPointToEnd(sequence->getBody());
  auto named = transform::NamedSequenceOp::create(
      builder, loc, transform::TransformDialect::kTransformEntryPointSymbolName,
      transform::AnyOpType::get(context), TypeRange(),
      [](OpBuilder &inside, Location where, BlockArgument) {
        transform::YieldOp::create(inside, where);
      });
  named.setArgAttr(0, transform::TransformDialect::kArgReadOnlyAttrName,
                   builder.getUnitAttr());
}

Schedule::~Schedule() = default;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

nest::BlockOp Schedule::get(BlockRef ref) const {
  return ref.id < table.size()
             ? dyn_cast_or_null<nest::BlockOp>(table[ref.id].op)
             : nest::BlockOp();
}

nest::ForOp Schedule::get(LoopRef ref) const {
  return ref.id < table.size() ? dyn_cast_or_null<nest::ForOp>(table[ref.id].op)
                               : nest::ForOp();
}

unsigned Schedule::add(Operation *op, Value recorded) {
  unsigned id = table.size();
  table.push_back({op, recorded});
  if (recorded)
    ids[recorded] = id;
  return id;
}

Param Schedule::addParam(int64_t value, Value recorded) {
  unsigned id = params.size();
  params.push_back({value, recorded});
  if (recorded)
    ids[recorded] = id;
  return Param(value, id);
}

Value Schedule::recorded(unsigned id) const {
  if (id < table.size() && table[id].recorded)
    return table[id].recorded;
  foreign = true;
  return root();
}

Schedule::Mixed Schedule::mix(ArrayRef<Param> given) const {
  Mixed mixed;
  for (const Param &param : given) {
    if (param.recorded < 0) {
      mixed.numbers.push_back(param.value);
      continue;
    }
    mixed.numbers.push_back(ShapedType::kDynamic);
    Value value = unsigned(param.recorded) < params.size()
                      ? params[param.recorded].recorded
                      : Value();
    foreign |= !value;
    mixed.dynamic.push_back(value ? value : root());
  }
  return mixed;
}

Value Schedule::root() const {
  return mainOf(*sequence).getBody().getArgument(0);
}

OpBuilder Schedule::atEnd() const {
  return OpBuilder(mainOf(*sequence).getBody().front().getTerminator());
}

//===----------------------------------------------------------------------===//
// Running an operation
//===----------------------------------------------------------------------===//

Outcome Schedule::TableInvocation::payloadOf(Value handle, Operation *&into) {
  if (isa<BlockArgument>(handle)) {
    into = schedule.func;
    return Outcome::done();
  }
  auto known = schedule.ids.find(handle);
  into =
      known == schedule.ids.end() ? nullptr : schedule.table[known->second].op;
  return into ? Outcome::done()
              : Outcome::refused("the handle is empty: what it named is gone");
}

Outcome Schedule::TableInvocation::paramOf(Value param, int64_t &into) {
  auto known = schedule.ids.find(param);
  if (known == schedule.ids.end())
    return Outcome::refused("a parameter is no integer");
  into = schedule.params[known->second].value;
  return Outcome::done();
}

Outcome Schedule::run(Operation *op) {
  TableInvocation at(*this, op);
  return cast<PrimitiveOpInterface>(op).run(at);
}

//===----------------------------------------------------------------------===//
// Knobs and the sequence
//===----------------------------------------------------------------------===//

Param Schedule::knob(StringRef name, int64_t value, ArrayRef<int64_t> options) {
  OpBuilder builder = atEnd();
  auto domain = llvm::map_to_vector(options, [&](int64_t option) -> Attribute {
    return builder.getI64IntegerAttr(option);
  });
  auto op = transform::tune::KnobOp::create(
      builder, builder.getUnknownLoc(), paramType(builder.getContext()),
      builder.getStringAttr(name), builder.getArrayAttr(domain),
      builder.getI64IntegerAttr(value));
  return addParam(value, op.getResult());
}

std::string Schedule::print() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  ModuleOp module = *sequence;
  module.print(stream);
  return text;
}

std::unique_ptr<Schedule> Schedule::fork() const {
  OwningOpRef<ModuleOp> home =
      ModuleOp::create(UnknownLoc::get(nest::FuncOp(func).getContext()));
  IRMapping payload, script;
  nest::FuncOp original = func;
  auto copy = cast<nest::FuncOp>(original->clone(payload));
  home->push_back(copy);
  // Kernels that pack constants for this one are its own.
  if (auto relayouts = original->getAttrOfType<ArrayAttr>("relayouts"))
    relayouts.walk([&](SymbolRefAttr name) {
      Operation *pack = SymbolTable::lookupNearestSymbolFrom(original, name);
      if (pack && !home->lookupSymbol(name.getRootReference()))
        home->push_back(pack->clone());
    });
  std::unique_ptr<Schedule> result(new Schedule(Fork{}, copy));
  result->owned = std::move(home);
  ModuleOp source = *sequence;
  result->sequence = cast<ModuleOp>(source->clone(script));
  auto copyOf = [&](Value recorded) {
    return recorded ? script.lookup(recorded) : Value();
  };
  for (const Entry &entry : table)
    result->add(entry.op ? payload.lookupOrNull(entry.op) : nullptr,
                copyOf(entry.recorded));
  for (const Parameter &param : params)
    result->addParam(param.value, copyOf(param.recorded));
  return result;
}
