//===- Rnn.cpp - RNN, GRU and LSTM ----------------------------------------===//
//
// The cells; Recurrent.h has the loop around them.
//
//===----------------------------------------------------------------------===//
#include "Recurrent.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// The recurrent weights of gates [first, first + count) of one direction,
/// transposed to [hidden, count * hidden].
static Array recurrentWeights(TensorBuilder &t, const Recurrence &cell,
                              int64_t direction, int64_t first, int64_t count) {
  Array weights = Recurrence::part(t, cell.r, direction);
  if (!weights)
    return {};
  Dim zero = t.dims.constant(0), one = t.dims.constant(1);
  weights =
      t.slice(weights, {t.dims.constant(first * cell.hidden), zero}, {one, one},
              {t.dims.constant(count * cell.hidden), weights.dims[1]});
  return t.transpose(weights, {1, 0});
}

namespace nestor::onnx {

// H' = f(X W^T + H R^T + b)
void importRNN(NodeContext &n, TensorBuilder &t) {
  auto cell = Recurrence::read(n, t, 1, {Activation::Tanh});
  if (!cell)
    return;
  Array initial = cell->initial(n, t, 5);
  SmallVector<Array> weights;
  for (int64_t d = 0; d < cell->directions; ++d)
    weights.push_back(recurrentWeights(t, *cell, d, 0, 1));
  runRecurrence(n, t, *cell, {initial},
                [&](Step &s, llvm::ArrayRef<Array> states) {
                  Array product = s.recurrent(states[0], weights[s.direction]);
                  Step::Pointwise p(s);
                  unsigned x = p.projection(0), r = p.state(product);
                  Array next = p.run(
                      [&](Code &c, ValueRange v) {
                        Value sum = cell->clipped(c, c.add(v[x], v[r]));
                        return s.activation(0).apply(c, sum);
                      },
                      states[0]);
                  return SmallVector<Array>{next};
                });
}

// z = f(Xz + H Rz), r = f(Xr + H Rr),
// h = g(Xh + (r . H) Rh) or, linear before reset, g(Xh + r . (H Rh + bRh)),
// H' = (1 - z) . h + z . H
void importGRU(NodeContext &n, TensorBuilder &t) {
  bool linear = n.version() >= 3 && n.integer("linear_before_reset", 0);
  auto cell =
      Recurrence::read(n, t, 3, {Activation::Sigmoid, Activation::Tanh});
  if (!cell)
    return;
  cell->lateBias = linear;
  Array initial = cell->initial(n, t, 5);
  SmallVector<Array> first, second, biases;
  for (int64_t d = 0; d < cell->directions; ++d) {
    first.push_back(recurrentWeights(t, *cell, d, 0, linear ? 3 : 2));
    second.push_back(linear ? Array() : recurrentWeights(t, *cell, d, 2, 1));
    Array bias = Recurrence::part(t, cell->b, d);
    biases.push_back(linear ? bias : Array());
  }
  auto stepLinear = [&](Step &s, llvm::ArrayRef<Array> states) {
    Array product = s.recurrent(states[0], first[s.direction]);
    Array bias = biases[s.direction];
    Step::Pointwise p(s);
    unsigned at[3][3];
    for (int64_t g = 0; product && g < 3; ++g) {
      at[g][0] = p.projection(g);
      at[g][1] = p.gate(product, g);
      if (bias) // after the three input biases
        at[g][2] = p.gate(bias, 3 + g);
    }
    unsigned h = p.state(states[0]);
    Array next = p.run(
        [&](Code &c, ValueRange v) {
          auto inner = [&](int64_t g) -> Value {
            return bias ? c.add(v[at[g][1]], v[at[g][2]]) : v[at[g][1]];
          };
          auto gate = [&](int64_t g) {
            Value sum = c.add(v[at[g][0]], inner(g));
            return s.activation(0).apply(c, cell->clipped(c, sum));
          };
          Value z = gate(0), r = gate(1);
          Value sum = c.add(v[at[2][0]], c.mul(r, inner(2)));
          Value fresh = s.activation(1).apply(c, cell->clipped(c, sum));
          return c.add(c.mul(c.sub(c.like(1, z), z), fresh), c.mul(z, v[h]));
        },
        states[0]);
    return SmallVector<Array>{next};
  };
  auto stepReset = [&](Step &s, llvm::ArrayRef<Array> states) {
    Array product = s.recurrent(states[0], first[s.direction]);
    if (!product)
      return SmallVector<Array>{Array()};
    auto gate = [&](Code &c, Value x, Value r) {
      return s.activation(0).apply(c, cell->clipped(c, c.add(x, r)));
    };
    Step::Pointwise reset(s);
    unsigned x = reset.projection(1), r = reset.gate(product, 1),
             h = reset.state(states[0]);
    Array kept = reset.run(
        [&](Code &c, ValueRange v) { return c.mul(gate(c, v[x], v[r]), v[h]); },
        states[0]);
    Array candidate = s.recurrent(kept, second[s.direction]);
    Step::Pointwise p(s);
    unsigned xz = p.projection(0), rz = p.gate(product, 0),
             xh = p.projection(2), rh = p.state(candidate),
             old = p.state(states[0]);
    Array next = p.run(
        [&](Code &c, ValueRange v) {
          Value z = gate(c, v[xz], v[rz]);
          Value sum = cell->clipped(c, c.add(v[xh], v[rh]));
          Value fresh = s.activation(1).apply(c, sum);
          return c.add(c.mul(c.sub(c.like(1, z), z), fresh), c.mul(z, v[old]));
        },
        states[0]);
    return SmallVector<Array>{next};
  };
  if (linear)
    runRecurrence(n, t, *cell, {initial}, stepLinear);
  else
    runRecurrence(n, t, *cell, {initial}, stepReset);
}

// i = f(Xi + H Ri + Pi . C), f = f(Xf + H Rf + Pf . C), c = g(Xc + H Rc),
// C' = f . C + i . c, o = f(Xo + H Ro + Po . C'), H' = o . h(C')
void importLSTM(NodeContext &n, TensorBuilder &t) {
  bool coupled = n.integer("input_forget", 0);
  auto cell = Recurrence::read(
      n, t, 4, {Activation::Sigmoid, Activation::Tanh, Activation::Tanh});
  if (!cell)
    return;
  Array h0 = cell->initial(n, t, 5), c0 = cell->initial(n, t, 6);
  Array peephole = n.optional(7);
  if (peephole) {
    if (peephole.rank() != 2 || peephole.type != cell->x.type)
      return n.malformed("P must be a matrix of X's type");
    t.require(peephole.dims[0], t.dims.constant(cell->directions),
              "P has the wrong dims");
    t.require(peephole.dims[1], t.dims.constant(3 * cell->hidden),
              "P has the wrong dims");
  }
  SmallVector<Array> weights, peepholes;
  for (int64_t d = 0; d < cell->directions; ++d) {
    weights.push_back(recurrentWeights(t, *cell, d, 0, 4));
    peepholes.push_back(Recurrence::part(t, peephole, d));
  }
  // Gates stand in the order i, o, f, c; peepholes in the order i, o, f.
  constexpr int64_t kIn = 0, kOut = 1, kForget = 2, kCell = 3;
  auto step = [&](Step &s, llvm::ArrayRef<Array> states) {
    Array product = s.recurrent(states[0], weights[s.direction]);
    if (!product)
      return SmallVector<Array>{Array(), Array()};
    Array peep = peepholes[s.direction];
    // What a gate is computed from.
    struct Gate {
      unsigned x, r, p;
    };
    auto gateOf = [&](Step::Pointwise &p, int64_t g) {
      Gate gate{p.projection(g), p.gate(product, g), 0};
      if (peep && g != kCell)
        gate.p = p.gate(peep, g);
      return gate;
    };
    auto sum = [&](Code &c, ValueRange v, Gate gate, Value state) {
      Value result = c.add(v[gate.x], v[gate.r]);
      if (peep && state)
        result = c.add(result, c.mul(v[gate.p], state));
      return cell->clipped(c, result);
    };
    const Activation &f = s.activation(0), &g = s.activation(1),
                     &h = s.activation(2);
    Step::Pointwise first(s);
    Gate in = gateOf(first, kIn), forget = gateOf(first, kForget),
         fresh = gateOf(first, kCell);
    unsigned old = first.state(states[1]);
    Array c1 = first.run(
        [&](Code &c, ValueRange v) {
          Value i = f.apply(c, sum(c, v, in, v[old]));
          Value keep = coupled ? c.sub(c.like(1, i), i)
                               : f.apply(c, sum(c, v, forget, v[old]));
          Value next = g.apply(c, sum(c, v, fresh, Value()));
          return c.add(c.mul(keep, v[old]), c.mul(i, next));
        },
        states[1]);
    if (!c1)
      return SmallVector<Array>{Array(), Array()};
    Step::Pointwise second(s);
    Gate out = gateOf(second, kOut);
    unsigned now = second.state(c1);
    Array h1 = second.run(
        [&](Code &c, ValueRange v) {
          Value o = f.apply(c, sum(c, v, out, v[now]));
          return c.mul(o, h.apply(c, v[now]));
        },
        states[0]);
    return SmallVector<Array>{h1, c1};
  };
  runRecurrence(n, t, *cell, {h0, c0}, step);
}

} // namespace nestor::onnx
