//===- Apply.cpp - Primitives as Transform-dialect operations -------------===//
//
// See Apply.h; also the registration of the extension.
//
//===----------------------------------------------------------------------===//
#include "Apply.h"

#include "nestor/Analysis/InstanceSet.h"
#include "nestor/Schedule/Extension.h"

#include "mlir/Dialect/Transform/TuneExtension/TuneExtension.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::sched;

#include "ScheduleOpsEnums.cpp.inc"

#include "PrimitiveInterface.cpp.inc"

#define GET_OP_CLASSES
#include "ScheduleOps.cpp.inc"

void sched::primitiveEffects(
    Operation *op, SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  transform::onlyReadsHandle(op->getOpOperands(), effects);
  transform::producesHandle(op->getOpResults(), effects);
  transform::modifiesPayload(effects);
}

void sched::nameLoops(Operation *op, OpAsmSetValueNameFn setName) {
  for (Value result : op->getResults())
    setName(result, "l");
}

/// A number of handles to operations called `opName`.
static ParseResult parseCount(OpAsmParser &parser, SmallVectorImpl<Type> &types,
                              StringRef opName, StringRef what) {
  int64_t count = 0;
  llvm::SMLoc where = parser.getCurrentLocation();
  if (parser.parseInteger(count))
    return failure();
  if (count < 0 || count > 64)
    return parser.emitError(where,
                            "expected a number of " + what + " up to 64");
  types.assign(count,
               transform::OperationType::get(parser.getContext(), opName));
  return success();
}

ParseResult sched::parseLoopCount(OpAsmParser &parser,
                                  SmallVectorImpl<Type> &types) {
  return parseCount(parser, types, nest::ForOp::getOperationName(), "loops");
}

ParseResult sched::parseBlockCount(OpAsmParser &parser,
                                   SmallVectorImpl<Type> &types) {
  return parseCount(parser, types, nest::BlockOp::getOperationName(), "blocks");
}

ParseResult sched::parseParamCount(OpAsmParser &parser,
                                   SmallVectorImpl<Type> &types) {
  ParseResult result = parseCount(parser, types, "", "parameters");
  Type param = transform::ParamType::get(parser.getContext(),
                                         parser.getBuilder().getI64Type());
  llvm::fill(types, param);
  return result;
}

void sched::printParamCount(OpAsmPrinter &printer, Operation *,
                            TypeRange types) {
  printer << types.size();
}

void sched::printBlockCount(OpAsmPrinter &printer, Operation *,
                            TypeRange types) {
  printer << types.size();
}

void sched::printLoopCount(OpAsmPrinter &printer, Operation *,
                           TypeRange types) {
  printer << types.size();
}

static DiagnosedSilenceableFailure toFailure(Operation *op,
                                             const Outcome &outcome) {
  if (outcome.isDone())
    return DiagnosedSilenceableFailure::success();
  if (!outcome.isRefused())
    return emitDefiniteFailure(op, outcome.getReason());
  DiagnosedSilenceableFailure failure =
      emitSilenceableFailure(op, outcome.getReason());
  for (const Outcome::Note &note : outcome.getNotes())
    failure.attachNote(note.where) << note.text;
  return failure;
}

Result<BufferRole> sched::roleOf(StringRef text) {
  if (text == "read")
    return BufferRole::Read;
  if (text == "write")
    return BufferRole::Write;
  return Outcome::refused("a buffer is \"read\" or \"write\", not \"" + text +
                          "\"");
}

namespace {
/// Handles and parameters of the Transform interpreter.
class StateInvocation : public Invocation {
public:
  StateInvocation(RewriterBase &rewriter, Operation *op,
                  transform::TransformResults &results,
                  transform::TransformState &state)
      : Invocation(rewriter, op), results(results), state(state) {}

protected:
  Outcome payloadOf(Value handle, Operation *&into) override {
    SmallVector<Operation *> payload(state.getPayloadOps(handle));
    if (payload.empty())
      return Outcome::refused("the handle is empty: what it named is gone");
    if (payload.size() > 1)
      return Outcome::refused("the handle holds " + Twine(payload.size()) +
                              " operations instead of one");
    into = payload.front();
    return Outcome::done();
  }
  Outcome paramOf(Value param, int64_t &into) override {
    ArrayRef<Attribute> values = state.getParams(param);
    auto value =
        values.size() == 1 ? dyn_cast<IntegerAttr>(values[0]) : IntegerAttr();
    if (!value)
      return Outcome::refused("a parameter is no integer");
    into = value.getInt();
    return Outcome::done();
  }
  void bind(OpResult result, Operation *payload) override {
    results.set(result, {payload});
  }
  void bindParam(OpResult result, int64_t value) override {
    results.setParams(
        result,
        {IntegerAttr::get(IntegerType::get(result.getContext(), 64), value)});
  }

private:
  transform::TransformResults &results;
  transform::TransformState &state;
};
} // namespace

DiagnosedSilenceableFailure
sched::applyPrimitive(Operation *op, RewriterBase &rewriter,
                      transform::TransformResults &results,
                      transform::TransformState &state) {
  StateInvocation at(rewriter, op, results, state);
  return toFailure(op, cast<PrimitiveOpInterface>(op).run(at));
}

namespace {
/// Adds transform.nest.* to the Transform dialect.
class ScheduleExtension
    : public transform::TransformDialectExtension<ScheduleExtension> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ScheduleExtension)

  void init() {
    declareDependentDialect<nest::NestDialect>();
    declareGeneratedDialect<nest::NestDialect>();
    declareGeneratedDialect<arith::ArithDialect>();
    declareGeneratedDialect<memref::MemRefDialect>();
    registerTransformOps<
#define GET_OP_LIST
#include "ScheduleOps.cpp.inc"
        >();
  }
};
} // namespace

void nestor::registerScheduleExtension(DialectRegistry &registry) {
  registry.insert<transform::TransformDialect>();
  registry.addExtensions<ScheduleExtension>();
  transform::registerTuneExtension(registry);
  analysis::registerEmptinessCache(registry);
}
