//===- Control.cpp - scf, calls and assertions ----------------------------===//
//
// Structured control flow at every level: results may be scalars, tensors or
// buffers.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Twine;

bool State::fail(const Inst &inst, ErrorKind kind, const Twine &message) {
  std::string text = "interp: ";
  if (!place.empty())
    text += place + ": ";
  text += inst.op->getName().getStringRef().str() + whereText(inst.op) + ": " +
          message.str();
  error = {kind, text};
  return false;
}

void interp::moveCells(State &state, ArrayRef<uint32_t> from,
                       ArrayRef<uint32_t> to) {
  if (from.size() == 1) {
    if (from[0] != to[0])
      state.cells[to[0]] = state.cells[from[0]];
    return;
  }
  SmallVector<Cell, 4> values;
  for (uint32_t cell : from)
    values.push_back(state.cells[cell]);
  for (auto [cell, value] : llvm::zip_equal(to, values))
    state.cells[cell] = std::move(value);
}

bool interp::callFunction(State &state, const Inst &at, Function &function,
                          ArrayRef<Cell> args, SmallVectorImpl<Cell> &results) {
  if (state.depth > 200)
    return state.fail(at, ErrorKind::Budget, "calls are nested too deeply");
  if (args.size() != function.body.args.size())
    return state.fail(at, ErrorKind::Usage,
                      "'" + function.name + "' takes " +
                          Twine(function.body.args.size()) +
                          " arguments, got " + Twine(args.size()));
  std::vector<Cell> frame = function.image;
  for (auto [cell, value] : llvm::zip_equal(function.body.args, args))
    frame[cell] = value;
  Cell *outer = state.cells;
  std::string place = state.place;
  state.cells = frame.data();
  state.place = function.name;
  ++state.depth;
  bool ok = runCode(state, function.body.code);
  if (ok)
    for (uint32_t cell : function.body.yields)
      results.push_back(frame[cell]);
  --state.depth;
  state.cells = outer;
  state.place = place;
  return ok;
}

namespace {
struct Regions : Extra {
  std::vector<RegionCode> regions;
  SmallVector<int64_t> cases;
};

Error addRegions(Compiler &compiler, Operation *op, Inst &inst) {
  auto extra = std::make_unique<Regions>();
  for (Region &region : op->getRegions()) {
    RegionCode &code = extra->regions.emplace_back();
    if (region.empty())
      continue;
    if (Error error = compiler.region(region, code))
      return error;
  }
  inst.extra = std::move(extra);
  return Error::success();
}

bool runInto(State &s, const Inst &i, const RegionCode &region) {
  if (!runCode(s, region.code))
    return false;
  moveCells(s, region.yields, i.out);
  return true;
}

bool runIf(State &s, const Inst &i) {
  return runInto(s, i, i.as<Regions>().regions[s.bits(i.in[0]) ? 0 : 1]);
}

Error buildIf(Compiler &compiler, Operation *op, Inst &inst) {
  inst.run = runIf;
  return addRegions(compiler, op, inst);
}

bool runAlways(State &s, const Inst &i) {
  return runInto(s, i, i.as<Regions>().regions[0]);
}

Error buildAlways(Compiler &compiler, Operation *op, Inst &inst) {
  inst.run = runAlways;
  return addRegions(compiler, op, inst);
}

bool runSwitch(State &s, const Inst &i) {
  auto &extra = i.as<Regions>();
  int64_t value = s.index(i.in[0]);
  for (auto [n, number] : llvm::enumerate(extra.cases))
    if (number == value)
      return runInto(s, i, extra.regions[n + 1]);
  return runInto(s, i, extra.regions[0]);
}

Error buildSwitch(Compiler &compiler, Operation *op, Inst &inst) {
  inst.run = runSwitch;
  if (Error error = addRegions(compiler, op, inst))
    return error;
  inst.as<Regions>().cases =
      SmallVector<int64_t>(cast<scf::IndexSwitchOp>(op).getCases());
  return Error::success();
}

bool runFor(State &s, const Inst &i) {
  const RegionCode &body = i.as<Regions>().regions[0];
  int64_t lower = signedOf(i.inKind, s.bits(i.in[0]));
  int64_t upper = signedOf(i.inKind, s.bits(i.in[1]));
  int64_t step = signedOf(i.inKind, s.bits(i.in[2]));
  if (step <= 0)
    return s.broken(i, "has the step " + Twine(step));
  ArrayRef<uint32_t> carried = body.args.drop_front();
  moveCells(s, i.in.drop_front(3), carried);
  for (int64_t v = lower; v < upper; v += step) {
    if (!checkSteps(s, i))
      return false;
    s.bits(body.args[0]) = truncateTo(i.inKind, static_cast<uint64_t>(v));
    if (!runCode(s, body.code))
      return false;
    moveCells(s, body.yields, carried);
    if (upper - v <= step) // Not v + step: it may overflow.
      break;
  }
  moveCells(s, carried, i.out);
  return true;
}

Error buildFor(Compiler &compiler, Operation *op, Inst &inst) {
  inst.run = runFor;
  return addRegions(compiler, op, inst);
}

bool runWhile(State &s, const Inst &i) {
  const RegionCode &before = i.as<Regions>().regions[0];
  const RegionCode &after = i.as<Regions>().regions[1];
  moveCells(s, i.in, before.args);
  while (true) {
    if (!checkSteps(s, i) || !runCode(s, before.code))
      return false;
    // scf.condition yields the condition, then the values.
    ArrayRef<uint32_t> values = before.yields.drop_front();
    if (!s.bits(before.yields[0])) {
      moveCells(s, values, i.out);
      return true;
    }
    moveCells(s, values, after.args);
    if (!runCode(s, after.code))
      return false;
    moveCells(s, after.yields, before.args);
  }
}

Error buildWhile(Compiler &compiler, Operation *op, Inst &inst) {
  inst.run = runWhile;
  return addRegions(compiler, op, inst);
}

struct Message : Extra {
  std::string text;
};

bool runAssert(State &s, const Inst &i) {
  if (s.bits(i.in[0]))
    return true;
  return s.fail(i, ErrorKind::RunTime, i.as<Message>().text);
}

/// cf.assert, model.check, host.check: all say what did not hold.
template <typename OpTy>
Error buildAssert(Compiler &compiler, Operation *op, Inst &inst) {
  auto extra = std::make_unique<Message>();
  if constexpr (std::is_same_v<OpTy, cf::AssertOp>)
    extra->text = cast<cf::AssertOp>(op).getMsg().str();
  else
    extra->text = op->getAttrOfType<StringAttr>("message").getValue().str();
  inst.extra = std::move(extra);
  inst.run = runAssert;
  return Error::success();
}

struct Callee : Extra {
  std::string name;
};

bool runCall(State &s, const Inst &i) {
  auto function = s.program.get(i.as<Callee>().name);
  if (!function) {
    s.error = takeError(function.takeError());
    return false;
  }
  SmallVector<Cell> args, results;
  for (uint32_t cell : i.in)
    args.push_back(s.cells[cell]);
  if (!callFunction(s, i, **function, args, results))
    return false;
  for (auto [cell, value] : llvm::zip_equal(i.out, results))
    s.cells[cell] = value;
  return true;
}

Error buildCall(Compiler &compiler, Operation *op, Inst &inst) {
  auto extra = std::make_unique<Callee>();
  extra->name = cast<func::CallOp>(op).getCallee().str();
  inst.extra = std::move(extra);
  inst.run = runCall;
  return Error::success();
}
} // namespace

void interp::addControl(Table &table) {
  table["scf.if"] = {nullptr, buildIf};
  table["scf.execute_region"] = {nullptr, buildAlways};
  table["scf.index_switch"] = {nullptr, buildSwitch};
  table["scf.for"] = {nullptr, buildFor};
  table["scf.while"] = {nullptr, buildWhile};
  table["cf.assert"] = {nullptr, buildAssert<cf::AssertOp>};
  table["model.check"] = {nullptr, buildAssert<void>};
  table["host.check"] = {nullptr, buildAssert<void>};
  table["func.call"] = {nullptr, buildCall};
}
