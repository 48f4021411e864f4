//===- Structured.cpp - linalg operations and model.loops -----------------===//
//
// A linalg operation runs its body at every point of its iteration space in
// lexicographic order, on copies of its outs. Extents are read from operands
// whose maps name a dim alone; all operands must agree. model.loops gives its
// body the buffers themselves.
//
//===----------------------------------------------------------------------===//
#include "Code.h"

#include "nestor/Dialect/Model/Model.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::interp;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

namespace {
struct Operand {
  SmallVector<Affine, 4> indices;
  /// The dim that index `n` is alone, or -1.
  SmallVector<int, 4> plainDim;
  bool isTensor = true;
  bool used = true;
};

struct LinalgExtra : Extra {
  std::vector<Operand> operands;
  /// One cell a loop.
  ArrayRef<uint32_t> counters;
  size_t numInputs = 0;
  RegionCode body;
};

/// The extent of each loop; every operand has its say.
bool findExtents(State &s, const Inst &i, const LinalgExtra &x,
                 SmallVectorImpl<int64_t> &extents) {
  extents.assign(x.counters.size(), -1);
  for (auto [n, operand] : llvm::enumerate(x.operands)) {
    if (!operand.isTensor)
      continue;
    const View &view = s.view(i.in[n]);
    for (auto [d, loop] : llvm::enumerate(operand.plainDim)) {
      if (loop < 0)
        continue;
      int64_t &extent = extents[loop];
      if (extent >= 0 && extent != view.dims[d])
        return s.broken(i, "loop " + Twine(loop) + " has the extents " +
                               Twine(extent) + " and " + Twine(view.dims[d]) +
                               " (operand " + Twine(n) + ", dim " + Twine(d) +
                               ")");
      extent = view.dims[d];
    }
  }
  for (auto [loop, extent] : llvm::enumerate(extents))
    if (extent < 0)
      return s.broken(i, "nothing says the extent of loop " + Twine(loop));
  return true;
}

/// The row-major number of the element that `operand` names at this point.
bool locate(State &s, const Inst &i, const Operand &operand, const View &view,
            int64_t &linear) {
  linear = 0;
  for (auto [n, expr] : llvm::enumerate(operand.indices)) {
    int64_t index;
    if (!evaluate(s, i, expr, index))
      return false;
    if (index < 0 || index >= view.dims[n])
      return s.broken(i, "index " + Twine(index) + " is outside dim " +
                             Twine(n) + " of dims " + listText(view.dims));
    linear = linear * view.dims[n] + index;
  }
  return true;
}

bool runPoint(State &s, const Inst &i, const LinalgExtra &x,
              ArrayRef<View *> views) {
  SmallVector<int64_t, 4> outs;
  for (auto [n, operand] : llvm::enumerate(x.operands)) {
    if (!operand.isTensor) {
      s.cells[x.body.args[n]] = s.cells[i.in[n]];
      continue;
    }
    bool isOut = n >= x.numInputs;
    if (!operand.used && !isOut)
      continue;
    int64_t linear;
    if (!locate(s, i, operand, *views[n], linear))
      return false;
    if (isOut)
      outs.push_back(linear);
    if (operand.used &&
        !readChecked(s, i, *views[n], linear, s.bits(x.body.args[n])))
      return false;
  }
  if (!checkSteps(s, i) || !runCode(s, x.body.code))
    return false;
  for (auto [n, linear] : llvm::enumerate(outs))
    if (!writeChecked(s, i, *views[x.numInputs + n], linear,
                      s.bits(x.body.yields[n])))
      return false;
  return true;
}

/// Calls `visit` at every point of the box `extents`, counters in cells.
template <typename F>
bool forPoints(State &s, ArrayRef<uint32_t> counters, ArrayRef<int64_t> extents,
               F visit) {
  if (llvm::any_of(extents, [](int64_t extent) { return extent <= 0; }))
    return true;
  for (uint32_t cell : counters)
    s.bits(cell) = 0;
  while (true) {
    if (!visit())
      return false;
    size_t d = extents.size();
    for (; d > 0; --d) {
      uint64_t &counter = s.bits(counters[d - 1]);
      if (static_cast<int64_t>(++counter) < extents[d - 1])
        break;
      counter = 0;
    }
    if (d == 0)
      return true;
  }
}

/// `in` with outs replaced by copies (tensors) or itself (buffers).
bool takeOuts(const Inst &i, ArrayRef<ViewRef> given, size_t first,
              SmallVectorImpl<ViewRef> &outs) {
  for (size_t n = first; n < given.size(); ++n) {
    bool tensor = isa<TensorType>(i.op->getOperand(n).getType());
    outs.push_back(tensor ? copyView(*given[n]) : given[n]);
  }
  return true;
}

void giveResults(State &s, const Inst &i, ArrayRef<ViewRef> outs) {
  for (auto [cell, view] : llvm::zip(i.out, outs)) {
    view->seal();
    s.cells[cell].view = view;
  }
}

bool runLinalg(State &s, const Inst &i) {
  const LinalgExtra &x = i.as<LinalgExtra>();
  SmallVector<ViewRef> given, outs;
  for (uint32_t cell : i.in)
    given.push_back(s.cells[cell].view);
  takeOuts(i, given, x.numInputs, outs);
  SmallVector<View *> views;
  for (size_t n = 0; n < given.size(); ++n)
    views.push_back(n < x.numInputs ? given[n].get()
                                    : outs[n - x.numInputs].get());
  SmallVector<int64_t> extents;
  if (!findExtents(s, i, x, extents) || !forPoints(s, x.counters, extents, [&] {
        return runPoint(s, i, x, views);
      }))
    return false;
  giveResults(s, i, outs);
  return true;
}

bool runIndex(State &s, const Inst &i) {
  s.bits(i.out[0]) = s.bits(static_cast<uint32_t>(i.number));
  return true;
}

//===----------------------------------------------------------------------===//
// model.loops
//===----------------------------------------------------------------------===//

struct LoopsExtra : Extra {
  size_t inputs = 0, outputs = 0, loops = 0;
  RegionCode body;
};

bool runLoops(State &s, const Inst &i) {
  const LoopsExtra &x = i.as<LoopsExtra>();
  ArrayRef<uint32_t> buffers = x.body.args.drop_front(x.loops);
  SmallVector<ViewRef> outs;
  for (size_t n = 0; n < x.inputs + x.outputs; ++n) {
    ViewRef view = s.cells[i.in[n]].view;
    if (n < x.inputs) {
      view = std::make_shared<View>(*view);
      view->readOnly = true;
    } else {
      view = copyView(*view);
      outs.push_back(view);
    }
    s.cells[buffers[n]].view = view;
  }
  SmallVector<int64_t> extents;
  for (uint32_t cell : i.in.drop_front(x.inputs + x.outputs))
    extents.push_back(s.index(cell));
  if (!forPoints(s, x.body.args.take_front(x.loops), extents,
                 [&] { return checkSteps(s, i) && runCode(s, x.body.code); }))
    return false;
  giveResults(s, i, outs);
  return true;
}

Error buildLoops(Compiler &compiler, Operation *op, Inst &inst) {
  auto loops = cast<model::LoopsOp>(op);
  auto extra = std::make_unique<LoopsExtra>();
  extra->inputs = loops.getInputs().size();
  extra->outputs = loops.getOutputs().size();
  extra->loops = loops.getExtents().size();
  if (Error error = compiler.region(loops.getBody(), extra->body))
    return error;
  inst.extra = std::move(extra);
  inst.run = runLoops;
  return Error::success();
}
} // namespace

Error interp::buildLinalg(Compiler &compiler, Operation *op, Inst &inst) {
  auto linalgOp = cast<linalg::LinalgOp>(op);
  auto extra = std::make_unique<LinalgExtra>();
  extra->numInputs = linalgOp.getNumDpsInputs();
  SmallVector<uint32_t> counters;
  for (unsigned n = 0; n < linalgOp.getNumLoops(); ++n)
    counters.push_back(compiler.newCell());
  extra->counters = compiler.list(counters);
  Block *body = linalgOp.getBlock();
  if (!body || body->getNumArguments() != op->getNumOperands())
    return Compiler::unsupported(op, "its body is unknown here");
  for (OpOperand &value : op->getOpOperands()) {
    Operand &operand = extra->operands.emplace_back();
    operand.isTensor = isa<ShapedType>(value.get().getType());
    operand.used = !body->getArgument(value.getOperandNumber()).use_empty();
    for (AffineExpr expr :
         linalgOp.getMatchingIndexingMap(&value).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      operand.plainDim.push_back(dim ? static_cast<int>(dim.getPosition())
                                     : -1);
      Expected<Affine> affine = compiler.affine(expr, extra->counters, {});
      if (!affine)
        return affine.takeError();
      operand.indices.push_back(std::move(*affine));
    }
  }
  compiler.loopCounters.push_back(extra->counters);
  Error error = compiler.region(op->getRegion(0), extra->body);
  compiler.loopCounters.pop_back();
  if (error)
    return error;
  inst.extra = std::move(extra);
  inst.run = runLinalg;
  return Error::success();
}

/// linalg.index reads a counter of the operation around it.
static Error buildIndex(Compiler &compiler, Operation *op, Inst &inst) {
  auto index = cast<linalg::IndexOp>(op);
  if (compiler.loopCounters.empty())
    return Compiler::unsupported(op, "it is in no linalg operation");
  inst.number = compiler.loopCounters.back()[index.getDim()];
  inst.run = runIndex;
  return Error::success();
}

void interp::addStructured(Table &table) {
  table["linalg.index"] = {nullptr, buildIndex};
  table["model.loops"] = {nullptr, buildLoops};
}
