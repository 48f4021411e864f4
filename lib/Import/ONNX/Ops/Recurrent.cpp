//===- Recurrent.cpp - What RNN, GRU and LSTM share -----------------------===//
//
// See the header.
//
//===----------------------------------------------------------------------===//
#include "Recurrent.h"
#include "Contraction.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

namespace {
struct ActivationRow {
  llvm::StringLiteral name;
  Activation::Kind kind;
  bool hasAlpha, hasBeta;
  double alpha, beta;
};
const ActivationRow kActivations[] = {
    {"relu", Activation::Relu, false, false, 0, 0},
    {"tanh", Activation::Tanh, false, false, 0, 0},
    {"sigmoid", Activation::Sigmoid, false, false, 0, 0},
    {"affine", Activation::Affine, true, true, 1, 0},
    {"leakyrelu", Activation::LeakyRelu, true, false, 0.01, 0},
    {"thresholdedrelu", Activation::ThresholdedRelu, true, false, 1, 0},
    {"scaledtanh", Activation::ScaledTanh, true, true, 1, 1},
    {"hardsigmoid", Activation::HardSigmoid, true, true, 0.2, 0.5},
    {"elu", Activation::Elu, true, false, 1, 0},
    {"softsign", Activation::Softsign, false, false, 0, 0},
    {"softplus", Activation::Softplus, false, false, 0, 0},
};
} // namespace

Value Activation::apply(Code &c, Value x) const {
  Value zero = c.like(0, x), one = c.like(1, x);
  auto a = [&] { return c.like(alpha, x); };
  auto b = [&] { return c.like(beta, x); };
  switch (kind) {
  case Relu:
    return c.max(x, zero);
  case Tanh:
    return c.tanh(x);
  case Sigmoid:
    return c.sigmoid(x);
  case Affine:
    return c.add(c.mul(a(), x), b());
  case LeakyRelu:
    return c.select(c.lt(x, zero), c.mul(a(), x), x);
  case ThresholdedRelu:
    return c.select(c.gt(x, a()), x, zero);
  case ScaledTanh:
    return c.mul(a(), c.tanh(c.mul(b(), x)));
  case HardSigmoid:
    return c.clamp(c.add(c.mul(a(), x), b()), zero, one);
  case Elu:
    return c.select(c.lt(x, zero), c.mul(a(), c.sub(c.exp(x), one)), x);
  case Softsign:
    return c.div(x, c.add(one, c.abs(x)));
  case Softplus:
    return c.add(c.max(x, zero),
                 math::Log1pOp::create(c.b, c.loc, c.exp(c.neg(c.abs(x)))));
  }
  return x;
}

/// The activations of all directions; alphas and betas are used up in order by
/// those that have one.
static std::optional<SmallVector<Activation>>
readActivations(NodeContext &n, int64_t directions,
                llvm::ArrayRef<Activation::Kind> defaults) {
  SmallVector<Activation> result;
  auto names = n.strings("activations");
  auto alphas = n.reals("activation_alpha"), betas = n.reals("activation_beta");
  size_t count = defaults.size() * directions, nextAlpha = 0, nextBeta = 0;
  if (names && names->size() < count) {
    n.malformed("attribute 'activations' has too few entries");
    return std::nullopt;
  }
  for (size_t i = 0; i < count; ++i) {
    const ActivationRow *row =
        llvm::find_if(kActivations, [&](const ActivationRow &r) {
          return names ? r.name == (*names)[i].lower()
                       : r.kind == defaults[i % defaults.size()];
        });
    if (row == std::end(kActivations)) {
      n.unsupported("the activation '" + (*names)[i] + "'");
      return std::nullopt;
    }
    Activation activation{row->kind, row->alpha, row->beta};
    if (row->hasAlpha && alphas && nextAlpha < alphas->size())
      activation.alpha = (*alphas)[nextAlpha++];
    if (row->hasBeta && betas && nextBeta < betas->size())
      activation.beta = (*betas)[nextBeta++];
    result.push_back(activation);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Checks the dims of an input; those of weights are nearly always numbers.
static void requireShape(TensorBuilder &t, const Array &array, Dims shape,
                         const llvm::Twine &what) {
  if (!array)
    return;
  if (array.rank() != int64_t(shape.size())) {
    t.malformed(what + " must have rank " + llvm::Twine(shape.size()));
    return;
  }
  for (auto [have, want] : llvm::zip(array.dims, shape))
    t.require(have, want, what + " has the wrong dims");
}

std::optional<Recurrence>
Recurrence::read(NodeContext &n, TensorBuilder &t, int64_t gates,
                 llvm::ArrayRef<Activation::Kind> defaults) {
  Recurrence cell;
  cell.gates = gates;
  cell.x = n.input(0);
  cell.w = n.input(1);
  cell.r = n.input(2);
  cell.b = n.optional(3);
  cell.lengths = n.optional(4);
  llvm::StringRef direction = n.string("direction", "forward");
  cell.batchFirst = n.version() >= 14 && n.integer("layout", 0);
  if (n.hasAttribute("clip"))
    cell.clip = n.real("clip", 0);
  int64_t hidden = n.integer("hidden_size", -1);
  if (n.failed())
    return std::nullopt;
  cell.directions = direction == "bidirectional" ? 2 : 1;
  cell.reverse = direction == "reverse";
  if (!cell.reverse && cell.directions == 1 && direction != "forward") {
    n.malformed("attribute 'direction' must be forward, reverse or "
                "bidirectional");
    return std::nullopt;
  }
  auto activations = readActivations(n, cell.directions, defaults);
  if (!activations)
    return std::nullopt;
  cell.activations = *activations;
  if (cell.x.rank() != 3 || cell.w.rank() != 3 || cell.r.rank() != 3) {
    n.malformed("X, W and R must have rank 3");
    return std::nullopt;
  }
  auto size = DimMath::value(cell.r.dims[2]);
  if (!size && hidden < 0) {
    n.unsupported("an unknown hidden size");
    return std::nullopt;
  }
  cell.hidden = size.value_or(hidden);
  if (hidden >= 0 && hidden != cell.hidden) {
    n.malformed("R does not fit attribute 'hidden_size'");
    return std::nullopt;
  }
  for (const Array &other : {cell.w, cell.r, cell.b})
    if (other && other.type != cell.x.type) {
      n.malformed("the weights have another type than X");
      return std::nullopt;
    }
  if (!isFloat(cell.x.type) ||
      (cell.lengths && !isInteger(cell.lengths.type))) {
    n.malformed("X must be floats and sequence_lens integers");
    return std::nullopt;
  }
  if (cell.batchFirst)
    cell.x = t.transpose(cell.x, {1, 0, 2});
  if (!cell.x)
    return std::nullopt;
  cell.steps = cell.x.dims[0];
  cell.batch = cell.x.dims[1];
  Dim d = t.dims.constant(cell.directions), h = t.dims.constant(cell.hidden);
  Dim rows = t.dims.constant(gates * cell.hidden);
  requireShape(t, cell.w, {d, rows, cell.x.dims[2]}, "W");
  requireShape(t, cell.r, {d, rows, h}, "R");
  requireShape(t, cell.b, {d, t.dims.constant(2 * gates * cell.hidden)}, "B");
  requireShape(t, cell.lengths, {cell.batch}, "sequence_lens");
  if (n.failed())
    return std::nullopt;
  return cell;
}

Array Recurrence::initial(NodeContext &n, TensorBuilder &t, unsigned i) const {
  Dims shape = {t.dims.constant(directions), batch, t.dims.constant(hidden)};
  Array state = n.optional(i);
  if (!state)
    return t.fill(x.type, shape, 0);
  if (state.type != x.type)
    return t.malformed("an initial state has another type than X");
  if (batchFirst && state.rank() == 3)
    state = t.transpose(state, {1, 0, 2});
  requireShape(t, state, shape, "an initial state");
  return t.failed() ? Array() : state;
}

Array Recurrence::part(TensorBuilder &t, Array array, int64_t direction) {
  if (!array)
    return {};
  Dims starts(array.rank(), t.dims.constant(0)),
      steps(array.rank(), t.dims.constant(1)), sizes(array.dims);
  starts[0] = t.dims.constant(direction);
  sizes[0] = t.dims.constant(1);
  return t.reshape(t.slice(array, starts, steps, sizes),
                   llvm::ArrayRef<Dim>(array.dims).drop_front());
}

Value Recurrence::clipped(Code &c, Value v) const {
  return clip ? c.clamp(v, c.like(-*clip, v), c.like(*clip, v)) : v;
}

/// Elements [first * hidden, (first + count) * hidden) of the first dim.
static Array gatesOf(TensorBuilder &t, Array array, int64_t first,
                     int64_t count, int64_t hidden) {
  if (!array)
    return {};
  Dims starts(array.rank(), t.dims.constant(0)),
      steps(array.rank(), t.dims.constant(1)), sizes(array.dims);
  starts[0] = t.dims.constant(first * hidden);
  sizes[0] = t.dims.constant(count * hidden);
  return t.slice(array, starts, steps, sizes);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Step::Step(const Recurrence &cell, TensorBuilder &t, int64_t direction,
           Array projected, Value time)
    : cell(cell), t(t), direction(direction), projected(projected), time(time) {
}

Array Step::recurrent(Array state, Array weights) {
  if (!state || !weights)
    return {};
  return matmul(t, state, weights, TensorBuilder::accumulator(state.type),
                [](Code &c, Value a, Value b) { return c.mul(a, b); });
}

unsigned Step::Pointwise::state(Array array) {
  operands.push_back({array, step.t.map(2, {step.t.d(0), step.t.d(1)})});
  timed.push_back(-1);
  return operands.size() - 1;
}

// The gates get a dim of their own: a linalg operand read at d1 + constant
// would be taken to have only the loop's extent.
unsigned Step::Pointwise::gate(Array array, int64_t g) {
  TensorBuilder &t = step.t;
  if (array) {
    Dim hidden = t.dims.constant(step.cell.hidden);
    Dims shape(array.dims.begin(), array.dims.end() - 1);
    shape.append({t.dims.floorDiv(array.dims.back(), hidden), hidden});
    array = t.reshape(array, shape);
  }
  operands.push_back({array, array.rank() == 2
                                 ? t.map(2, {t.c(g), t.d(1)})
                                 : t.map(2, {t.d(0), t.c(g), t.d(1)})});
  timed.push_back(-1);
  return operands.size() - 1;
}

unsigned Step::Pointwise::projection(int64_t g) {
  if (!step.time)
    return gate(step.projected, g);
  operands.push_back({});
  timed.push_back(g);
  return operands.size() - 1;
}

Array Step::Pointwise::run(ElementFn body, Array old) {
  TensorBuilder &t = step.t;
  const Recurrence &cell = step.cell;
  for (auto [operand, g] : llvm::zip(operands, timed))
    if (g < 0 && !operand.array)
      return {};
  // Inputs read at the step's time are extracted in the body.
  SmallVector<Operand> passed;
  for (auto [operand, g] : llvm::zip(operands, timed))
    if (g < 0)
      passed.push_back(operand);
  unsigned rest = passed.size();
  if (cell.lengths) {
    passed.push_back({cell.lengths, t.map(2, {t.d(0)})});
    passed.push_back({old, t.map(2, {t.d(0), t.d(1)})});
  }
  Array all = step.projected;
  Value projected = step.time ? t.value(all) : Value();
  return t.generic(
      cell.x.type, {cell.batch, t.dims.constant(cell.hidden)}, passed,
      [&](Code &c, ValueRange v) {
        SmallVector<Value> inputs;
        unsigned next = 0;
        for (int64_t g : timed) {
          if (g < 0) {
            inputs.push_back(v[next++]);
            continue;
          }
          Value element = c.add(c.loop(1), c.index(g * cell.hidden));
          inputs.push_back(
              c.widen(c.extract(projected, {step.time, c.loop(0), element})));
        }
        Value result = body(c, inputs);
        if (cell.lengths) {
          Value now = step.time ? step.time : c.index(0);
          result = c.select(c.lt(now, c.toIndex(v[rest])), result, v[rest + 1]);
        }
        return result;
      });
}

//===----------------------------------------------------------------------===//
// The loop over time
//===----------------------------------------------------------------------===//

/// X W^T + b of one direction, [steps, batch, gates * hidden].
static Array project(TensorBuilder &t, const Recurrence &cell,
                     int64_t direction) {
  int64_t rows = cell.gates * cell.hidden;
  Dim columns = t.dims.constant(rows);
  Array weights = t.transpose(Recurrence::part(t, cell.w, direction), {1, 0});
  Array flat =
      t.reshape(cell.x, {t.dims.mul(cell.steps, cell.batch), cell.x.dims[2]});
  Array product = matmul(t, flat, weights);
  if (cell.b && product) {
    Array bias = Recurrence::part(t, cell.b, direction);
    Array wb = gatesOf(t, bias, 0, cell.gates, cell.hidden);
    if (!cell.lateBias)
      wb = t.add(wb, gatesOf(t, bias, cell.gates, cell.gates, cell.hidden));
    product = t.add(product, wb);
  }
  return t.reshape(product, {cell.steps, cell.batch, columns});
}

/// `y` with `row` [batch, hidden] written at `time`; 0 where the sequence is
/// over.
static Array writeRow(TensorBuilder &t, const Recurrence &cell, Array y,
                      Array row, Value time) {
  SmallVector<Array> ins = {row};
  if (cell.lengths)
    ins.push_back(cell.lengths);
  Dim hidden = t.dims.constant(cell.hidden);
  return t.loops(ins, {y}, {cell.batch, hidden}, {0, 0},
                 [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
                   Value v = c.load(in[0], {i[0], i[1]});
                   if (cell.lengths) {
                     Value length = c.toIndex(c.load(in[1], {i[0]}));
                     v = c.select(c.lt(time, length), v, c.like(0, v));
                   }
                   c.store(v, out[0], {time, i[0], i[1]});
                 })[0];
}

/// `row` as the only step of Y.
static Array onlyRow(TensorBuilder &t, const Recurrence &cell, Array row) {
  if (!cell.lengths)
    return row;
  return t.generic(
      row.type, row.dims,
      {{row, t.map(2, {t.d(0), t.d(1)})}, {cell.lengths, t.map(2, {t.d(0)})}},
      [](Code &c, ValueRange v) {
        Value live = c.lt(c.index(0), c.toIndex(v[1]));
        return c.select(live, v[0], c.like(0, v[0]));
      });
}

/// Y [steps, batch, hidden] (when wanted), then the last states.
static SmallVector<Array> runDirection(TensorBuilder &t, const Recurrence &cell,
                                       int64_t direction,
                                       SmallVector<Array> states, bool wantsY,
                                       StepFn step) {
  bool backwards = cell.reverse || direction == 1;
  Array projected = project(t, cell, direction);
  if (t.failed())
    return {};
  Dim hidden = t.dims.constant(cell.hidden);
  if (DimMath::isOne(cell.steps)) {
    projected = t.reshape(
        projected, {cell.batch, t.dims.constant(cell.gates * cell.hidden)});
    Step one(cell, t, direction, projected, Value());
    SmallVector<Array> next = step(one, states);
    if (t.failed())
      return {};
    next.insert(next.begin(), onlyRow(t, cell, next[0]));
    return next;
  }

  // The carried tensors: Y, then the states.
  SmallVector<Array> carried;
  if (wantsY)
    carried.push_back(
        t.undefined(cell.x.type, {cell.steps, cell.batch, hidden}));
  carried.append(states);
  SmallVector<Value> inits;
  for (Array &array : carried)
    inits.push_back(t.value(array));
  Value zero = t.dims.toValue(t.dims.constant(0));
  Value one = t.dims.toValue(t.dims.constant(1));
  Value count = t.dims.toValue(cell.steps);
  // The projection's value must stand outside of the loop.
  t.value(projected);
  auto loop = scf::ForOp::create(t.builder, t.loc, zero, count, one, inits);
  {
    OpBuilder::InsertionGuard guard(t.builder);
    t.builder.setInsertionPointToEnd(loop.getBody());
    t.dims.pushScope();
    SmallVector<Array> inside;
    for (auto [array, value] : llvm::zip(carried, loop.getRegionIterArgs())) {
      Array copy = array;
      copy.known = nullptr;
      copy.literal = nullptr;
      copy.value = value;
      inside.push_back(copy);
    }
    Value time = loop.getInductionVar();
    if (backwards) {
      Code c(t.builder, t.loc);
      time = c.sub(c.sub(count, one), time);
    }
    Step now(cell, t, direction, projected, time);
    SmallVector<Array> next =
        step(now, llvm::ArrayRef<Array>(inside).drop_front(wantsY));
    if (wantsY && !t.failed())
      next.insert(next.begin(), writeRow(t, cell, inside[0], next[0], time));
    SmallVector<Value> yields;
    for (Array &array : next)
      yields.push_back(t.value(array));
    if (!t.failed())
      scf::YieldOp::create(t.builder, t.loc, yields);
    t.dims.popScope();
  }
  if (t.failed())
    return {};
  SmallVector<Array> results;
  for (auto [array, value] : llvm::zip(carried, loop.getResults())) {
    Array copy = array;
    copy.known = nullptr;
    copy.literal = nullptr;
    copy.value = value;
    results.push_back(copy);
  }
  if (!wantsY)
    results.insert(results.begin(), Array());
  return results;
}

void onnx::runRecurrence(NodeContext &n, TensorBuilder &t,
                         const Recurrence &cell,
                         llvm::ArrayRef<Array> initialStates, StepFn step) {
  if (n.failed())
    return;
  bool wantsY = n.wants(0);
  SmallVector<SmallVector<Array>> results;
  for (int64_t d = 0; d < cell.directions; ++d) {
    SmallVector<Array> states;
    for (const Array &initial : initialStates)
      states.push_back(Recurrence::part(t, initial, d));
    if (n.failed())
      return;
    results.push_back(runDirection(t, cell, d, states, wantsY, step));
    if (n.failed())
      return;
  }
  Dim one = t.dims.constant(1), hidden = t.dims.constant(cell.hidden);
  if (wantsY) {
    SmallVector<Array> rows;
    for (auto &result : results)
      rows.push_back(
          t.reshape(result[0], {cell.steps, one, cell.batch, hidden}));
    Array y = t.concat(rows, 1);
    n.set(0, cell.batchFirst ? t.transpose(y, {2, 0, 1, 3}) : y);
  }
  for (size_t i = 0; i < initialStates.size(); ++i) {
    if (!n.wants(i + 1))
      continue;
    SmallVector<Array> last;
    for (auto &result : results)
      last.push_back(t.reshape(result[i + 1], {one, cell.batch, hidden}));
    Array state = t.concat(last, 0);
    n.set(i + 1, cell.batchFirst ? t.transpose(state, {1, 0, 2}) : state);
  }
}
