//===- Schedule.cpp - A kernel and the schedule applied to it -------------===//
//
// See the header. Each method: handles to operations, the primitive, then the
// recorded operation with handles for its results. A refusal records nothing.
//
//===----------------------------------------------------------------------===//
#include "nestor/Schedule/Schedule.h"

#include "Methods.h"

#include "mlir/Dialect/Transform/IR/TransformOps.h"
#include "mlir/Dialect/Transform/Transforms/TransformInterpreterUtils.h"
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

Outcome Schedule::check(ArrayRef<unsigned> ids) const {
  for (unsigned id : ids) {
    if (id >= table.size())
      return Outcome::broken("a handle of another schedule");
    if (!table[id].op)
      return Outcome::refused("the handle is empty: what it named is gone");
  }
  return Outcome::done();
}

unsigned Schedule::add(Operation *op, Value recorded) {
  unsigned id = table.size();
  table.push_back({op, recorded});
  ids[recorded] = id;
  return id;
}

LoopRefs Schedule::addLoops(Loops &loops, ResultRange recorded) {
  LoopRefs refs;
  for (auto [loop, value] : llvm::zip_equal(loops, recorded))
    refs.push_back({add(loop, value)});
  return refs;
}

namespace nestor::sched {
/// Handles and knobs of a Schedule.
class Schedule::TableInvocation : public Invocation {
public:
  TableInvocation(Schedule &schedule, Operation *op)
      : Invocation(*schedule.rewriter, op), schedule(schedule) {}

protected:
  Outcome payloadOf(Value handle, Operation *&into) override {
    if (handle == rootOf(*schedule.sequence)) {
      into = schedule.func;
      return Outcome::done();
    }
    auto known = schedule.ids.find(handle);
    into = known == schedule.ids.end() ? nullptr
                                       : schedule.table[known->second].op;
    return into
               ? Outcome::done()
               : Outcome::refused("the handle is empty: what it named is gone");
  }
  Outcome paramOf(Value param, int64_t &into) override {
    auto knob = param.getDefiningOp<transform::tune::KnobOp>();
    auto value = knob && knob.getSelected()
                     ? dyn_cast<IntegerAttr>(*knob.getSelected())
                     : IntegerAttr();
    if (!value)
      return Outcome::refused("a parameter is no integer");
    into = value.getInt();
    return Outcome::done();
  }
  void bind(OpResult result, Operation *payload) override {
    schedule.add(payload, result);
  }
  void bindParam(OpResult result, int64_t value) override {}

private:
  Schedule &schedule;
};
} // namespace nestor::sched

Outcome Schedule::run(Operation *op) {
  TableInvocation at(*this, op);
  return cast<PrimitiveOpInterface>(op).run(at);
}

Loops Schedule::loopsOf(ArrayRef<LoopRef> refs) const {
  return llvm::map_to_vector(refs, [&](LoopRef ref) { return get(ref); });
}

SmallVector<Value> Schedule::recordedOf(ArrayRef<LoopRef> refs) const {
  return llvm::map_to_vector(refs,
                             [&](LoopRef ref) { return recorded(ref.id); });
}

OpBuilder Schedule::atEnd() const {
  ModuleOp module = *sequence;
  auto named = *module.getOps<transform::NamedSequenceOp>().begin();
  return OpBuilder(named.getBody().front().getTerminator());
}

//===----------------------------------------------------------------------===//
// Knobs and queries
//===----------------------------------------------------------------------===//

Param Schedule::knob(StringRef name, int64_t value, ArrayRef<int64_t> options) {
  OpBuilder builder = atEnd();
  SmallVector<Attribute> domain;
  for (int64_t option : options)
    domain.push_back(builder.getI64IntegerAttr(option));
  auto op = transform::tune::KnobOp::create(
      builder, builder.getUnknownLoc(),
      transform::ParamType::get(builder.getContext(), builder.getI64Type()),
      builder.getStringAttr(name), builder.getArrayAttr(domain),
      builder.getI64IntegerAttr(value));
  knobs.push_back(op.getResult());
  return Param(value, knobs.size() - 1);
}

Result<BlockRef> Schedule::getBlock(StringRef name) {
  Result<nest::BlockOp> block = sched::getBlock(func, name);
  if (!block)
    return block.getOutcome();
  OpBuilder builder = atEnd();
  auto op = GetBlockOp::create(builder, builder.getUnknownLoc(),
                               blockHandle(func.getContext()), name,
                               rootOf(*sequence));
  return BlockRef{add(*block, op.getBlock())};
}

Result<LoopRefs> Schedule::getLoops(BlockRef block) {
  NESTOR_CHECK_HANDLES(block.id);
  Result<Loops> loops = sched::getLoops(get(block));
  if (!loops)
    return loops.getOutcome();
  OpBuilder builder = atEnd();
  auto op = GetLoopsOp::create(builder, builder.getUnknownLoc(),
                               loopHandles(func.getContext(), loops->size()),
                               recorded(block.id));
  return addLoops(*loops, op->getResults());
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

Result<LoopRef> Schedule::fuse(ArrayRef<LoopRef> loops) {
  NESTOR_CHECK_HANDLES(idsOf(loops));
  SmallVector<Value> values = recordedOf(loops);
  Result<nest::ForOp> fused = sched::fuse(*rewriter, loopsOf(loops));
  if (!fused)
    return fused.getOutcome();
  OpBuilder builder = atEnd();
  auto op = FuseOp::create(builder, builder.getUnknownLoc(),
                           loopHandle(func.getContext()), values);
  return LoopRef{add(*fused, op.getFused())};
}

Outcome Schedule::reorder(ArrayRef<LoopRef> loops) {
  NESTOR_CHECK_HANDLES(idsOf(loops));
  NESTOR_APPLY(sched::reorder(*rewriter, loopsOf(loops)));
  OpBuilder builder = atEnd();
  ReorderOp::create(builder, builder.getUnknownLoc(), recordedOf(loops));
  return Outcome::done();
}

Result<LoopRef> Schedule::addUnitLoop(BlockRef block) {
  return addUnitLoop(LoopRef{block.id});
}

Result<LoopRef> Schedule::addUnitLoop(LoopRef inner) {
  NESTOR_CHECK_HANDLES(inner.id);
  Result<nest::ForOp> loop = sched::addUnitLoop(*rewriter, table[inner.id].op);
  if (!loop)
    return loop.getOutcome();
  OpBuilder builder = atEnd();
  auto op =
      AddUnitLoopOp::create(builder, builder.getUnknownLoc(),
                            loopHandle(func.getContext()), recorded(inner.id));
  return LoopRef{add(*loop, op.getLoop())};
}

Result<LoopRefs> Schedule::separateFullPartial(LoopRef loop) {
  NESTOR_CHECK_HANDLES(loop.id);
  Result<Loops> loops = sched::separateFullPartial(*rewriter, get(loop));
  if (!loops)
    return loops.getOutcome();
  OpBuilder builder = atEnd();
  Type handle = loopHandle(func.getContext());
  auto op = SeparateFullPartialOp::create(builder, builder.getUnknownLoc(),
                                          handle, handle, recorded(loop.id));
  return addLoops(*loops, op->getResults());
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

Outcome Schedule::vectorize(LoopRef loop) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(setLoopKind(*rewriter, get(loop), nest::LoopKind::Vectorize));
  OpBuilder builder = atEnd();
  VectorizeOp::create(builder, builder.getUnknownLoc(), recorded(loop.id));
  return Outcome::done();
}

Outcome Schedule::unroll(LoopRef loop) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(setLoopKind(*rewriter, get(loop), nest::LoopKind::Unroll));
  OpBuilder builder = atEnd();
  UnrollOp::create(builder, builder.getUnknownLoc(), recorded(loop.id));
  return Outcome::done();
}

Outcome Schedule::parallel(LoopRef loop, Param grain) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(sched::parallel(*rewriter, get(loop), grain.value));
  SmallVector<Value> dynamic;
  SmallVector<int64_t> mixed, values;
  mixParams(grain, knobs, dynamic, mixed, values);
  OpBuilder builder = atEnd();
  ParallelOp::create(builder, builder.getUnknownLoc(), recorded(loop.id),
                     dynamic, mixed);
  return Outcome::done();
}

Outcome Schedule::annotate(LoopRef loop, StringRef key, Attribute value) {
  NESTOR_CHECK_HANDLES(loop.id);
  NESTOR_APPLY(sched::annotate(*rewriter, table[loop.id].op, key, value));
  OpBuilder builder = atEnd();
  AnnotateOp::create(builder, builder.getUnknownLoc(), recorded(loop.id), key,
                     value);
  return Outcome::done();
}

Outcome Schedule::annotate(BlockRef block, StringRef key, Attribute value) {
  return annotate(LoopRef{block.id}, key, value);
}

//===----------------------------------------------------------------------===//
// Moving
//===----------------------------------------------------------------------===//

Outcome Schedule::computeAt(BlockRef block, LoopRef loop) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  NESTOR_APPLY(sched::computeAt(*rewriter, get(block), get(loop)));
  OpBuilder builder = atEnd();
  ComputeAtOp::create(builder, builder.getUnknownLoc(), recorded(block.id),
                      recorded(loop.id));
  return Outcome::done();
}

Outcome Schedule::reverseComputeAt(BlockRef block, LoopRef loop) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  NESTOR_APPLY(sched::reverseComputeAt(*rewriter, get(block), get(loop)));
  OpBuilder builder = atEnd();
  ReverseComputeAtOp::create(builder, builder.getUnknownLoc(),
                             recorded(block.id), recorded(loop.id));
  return Outcome::done();
}

Outcome Schedule::computeInline(BlockRef block) {
  NESTOR_CHECK_HANDLES(block.id);
  NESTOR_APPLY(sched::computeInline(*rewriter, get(block)));
  OpBuilder builder = atEnd();
  ComputeInlineOp::create(builder, builder.getUnknownLoc(), recorded(block.id));
  return Outcome::done();
}

Outcome Schedule::reverseComputeInline(BlockRef block) {
  NESTOR_CHECK_HANDLES(block.id);
  NESTOR_APPLY(sched::reverseComputeInline(*rewriter, get(block)));
  OpBuilder builder = atEnd();
  ReverseComputeInlineOp::create(builder, builder.getUnknownLoc(),
                                 recorded(block.id));
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// Data, reduction, tensor
//===----------------------------------------------------------------------===//

Result<BlockRef> Schedule::cacheRead(BlockRef block, int64_t buffer,
                                     StringRef scope) {
  NESTOR_CHECK_HANDLES(block.id);
  Result<nest::BlockOp> copy =
      sched::cacheRead(*rewriter, get(block), buffer, scope);
  if (!copy)
    return copy.getOutcome();
  OpBuilder builder = atEnd();
  auto op = CacheReadOp::create(builder, builder.getUnknownLoc(),
                                blockHandle(func.getContext()),
                                recorded(block.id), buffer, scope);
  return BlockRef{add(*copy, op.getCopy())};
}

Result<BlockRef> Schedule::cacheWrite(BlockRef block, int64_t buffer,
                                      StringRef scope) {
  NESTOR_CHECK_HANDLES(block.id);
  Result<nest::BlockOp> copy =
      sched::cacheWrite(*rewriter, get(block), buffer, scope);
  if (!copy)
    return copy.getOutcome();
  OpBuilder builder = atEnd();
  auto op = CacheWriteOp::create(builder, builder.getUnknownLoc(),
                                 blockHandle(func.getContext()),
                                 recorded(block.id), buffer, scope);
  return BlockRef{add(*copy, op.getCopy())};
}

Outcome Schedule::setScope(BlockRef block, int64_t buffer, StringRef scope) {
  NESTOR_CHECK_HANDLES(block.id);
  NESTOR_APPLY(sched::setScope(*rewriter, get(block), buffer, scope));
  OpBuilder builder = atEnd();
  SetScopeOp::create(builder, builder.getUnknownLoc(), recorded(block.id),
                     buffer, scope);
  return Outcome::done();
}

Outcome Schedule::compactBuffers() {
  NESTOR_APPLY(sched::compactBuffers(*rewriter, func));
  OpBuilder builder = atEnd();
  CompactBuffersOp::create(builder, builder.getUnknownLoc(), rootOf(*sequence));
  return Outcome::done();
}

Result<BlockRef> Schedule::decomposeReduction(BlockRef block, LoopRef loop) {
  NESTOR_CHECK_HANDLES({block.id, loop.id});
  Result<nest::BlockOp> init =
      sched::decomposeReduction(*rewriter, get(block), get(loop));
  if (!init)
    return init.getOutcome();
  OpBuilder builder = atEnd();
  auto op = DecomposeReductionOp::create(builder, builder.getUnknownLoc(),
                                         blockHandle(func.getContext()),
                                         recorded(block.id), recorded(loop.id));
  return BlockRef{add(*init, op.getInit())};
}

Result<BlockRef> Schedule::rfactor(LoopRef loop, int64_t axis) {
  NESTOR_CHECK_HANDLES(loop.id);
  Result<nest::BlockOp> partial = sched::rfactor(*rewriter, get(loop), axis);
  if (!partial)
    return partial.getOutcome();
  OpBuilder builder = atEnd();
  auto op = RFactorOp::create(builder, builder.getUnknownLoc(),
                              blockHandle(func.getContext()), recorded(loop.id),
                              axis);
  return BlockRef{add(*partial, op.getPartial())};
}

Outcome Schedule::transformLayout(BlockRef block, BufferRole role,
                                  int64_t buffer, AffineMap map) {
  NESTOR_CHECK_HANDLES(block.id);
  NESTOR_APPLY(
      sched::transformLayout(*rewriter, get(block), role, buffer, map));
  OpBuilder builder = atEnd();
  TransformLayoutOp::create(
      builder, builder.getUnknownLoc(), recorded(block.id),
      role == BufferRole::Read ? "read" : "write", buffer, map);
  return Outcome::done();
}

//===----------------------------------------------------------------------===//
// The sequence
//===----------------------------------------------------------------------===//

std::string Schedule::print() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  ModuleOp module = *sequence;
  module.print(stream);
  return text;
}

Outcome Schedule::replay(ModuleOp sequence, nest::FuncOp func) {
  auto named = llvm::to_vector(sequence.getOps<transform::NamedSequenceOp>());
  if (named.empty())
    return Outcome::refused("the schedule holds no transform.named_sequence");
  std::string text;
  ScopedDiagnosticHandler collect(func.getContext(), [&](Diagnostic &diag) {
    text += (text.empty() ? "" : "; ") + diag.str();
    for (Diagnostic &note : diag.getNotes())
      text += "; " + note.str();
    return success();
  });
  if (failed(transform::applyTransformNamedSequence(
          func, named.front(), ModuleOp(), transform::TransformOptions())))
    return Outcome::refused(text.empty() ? "the schedule failed" : text);
  return Outcome::done();
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
  for (const Entry &entry : table)
    result->add(entry.op ? payload.lookupOrNull(entry.op) : nullptr,
                script.lookup(entry.recorded));
  for (Value knob : knobs)
    result->knobs.push_back(script.lookup(knob));
  return result;
}
