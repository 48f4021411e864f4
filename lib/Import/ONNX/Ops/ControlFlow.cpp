//===- ControlFlow.cpp - If, Loop, Scan -----------------------------------===//
//
// before: a node with subgraphs
// after:  the chosen branch alone when the condition is known now, else scf.if;
//         scf.for or scf.while for the loops
//
// A value that leaves a region keeps a size only when that is a number or was
// made outside; other sizes become `?` and are asked of the result. Loops are
// imported again with more `?` until what goes round has one type.
//
//===----------------------------------------------------------------------===//
#include "nestor/Dialect/Model/Model.h"
#include "nestor/Import/ONNX/ImportContext.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

/// Whether `dim` may be used outside of `region`.
static bool isOutside(Dim dim, Region &region) {
  if (DimMath::value(dim))
    return true;
  Region *own = llvm::cast<Value>(dim).getParentRegion();
  return !region.isAncestor(own);
}

/// The SSA tensor of `array` with exactly the sizes `shape`, where null stands
/// for `?`.
static Value valueAs(TensorBuilder &t, Array array, llvm::ArrayRef<Dim> shape) {
  SmallVector<int64_t> sizes;
  SmallVector<Value> dynamic;
  for (auto [have, want] : llvm::zip(array.dims, shape)) {
    auto number = want ? DimMath::value(want) : std::nullopt;
    sizes.push_back(number.value_or(ShapedType::kDynamic));
    if (!number)
      dynamic.push_back(t.dims.toValue(have));
  }
  Value value = t.value(array);
  auto type = RankedTensorType::get(
      sizes, storageType(t.builder.getContext(), array.type));
  if (value.getType() == type)
    return value;
  return model::ReshapeOp::create(t.builder, t.loc, type, value, dynamic);
}

/// The Array of `value`, whose sizes are `shape` where that is not null.
static Array arrayOf(TensorBuilder &t, Value value, DataType type,
                     llvm::ArrayRef<Dim> shape) {
  Array array = t.wrap(value, type);
  for (auto [i, dim] : llvm::enumerate(shape))
    if (dim)
      array.dims[i] = dim;
  return array;
}

/// The condition as an i1 value.
static Value conditionValue(TensorBuilder &t, Array condition) {
  return t.scalarValue(t.reshape(condition, {}));
}

/// Whether all sizes are 1.
static bool isSingle(const Array &array) {
  return llvm::all_of(array.dims, [](Dim dim) { return DimMath::isOne(dim); });
}

/// Imports `branch` in place of the If.
static void finishBranch(NodeContext &n, const Graph &branch) {
  auto results = n.importGraph(branch, {});
  if (!results)
    return;
  if (results->size() != n.outputCount())
    return n.malformed("a branch has another number of outputs");
  for (auto [i, result] : llvm::enumerate(*results))
    n.set(i, result);
}

namespace nestor::onnx {

void importIf(NodeContext &n, TensorBuilder &t) {
  Array condition = n.input(0);
  const Graph *thenGraph = n.graph("then_branch");
  const Graph *elseGraph = n.graph("else_branch");
  if (n.failed())
    return;
  if (condition.type != DataType::Bool)
    return n.malformed("the condition must be bool");
  if (auto known = t.number(condition))
    return finishBranch(n, *known != 0 ? *thenGraph : *elseGraph);
  Value bit = conditionValue(t, condition);
  if (!bit)
    return;
  OpBuilder &b = t.builder;
  auto sketch = scf::IfOp::create(b, t.loc, TypeRange{}, bit,
                                  /*withElseRegion=*/true);
  std::optional<SmallVector<Array>> results[2];
  for (int i = 0; i < 2; ++i) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(
        (i ? sketch.elseBlock() : sketch.thenBlock())->getTerminator());
    t.dims.pushScope();
    results[i] = n.importGraph(i ? *elseGraph : *thenGraph, {});
    t.dims.popScope();
    if (!results[i])
      return;
    if (results[i]->size() != n.outputCount())
      return n.malformed("a branch has another number of outputs");
  }
  SmallVector<Dims> shapes;
  SmallVector<Type> types;
  for (unsigned i = 0; i < n.outputCount(); ++i) {
    Array &a = (*results[0])[i], &c = (*results[1])[i];
    if (!a || !c)
      return n.unsupported("an output that a branch leaves empty");
    if (a.type != c.type)
      return n.malformed("the branches make different types");
    // One element has the rank that is asked for.
    if (a.rank() != c.rank() && isSingle(a) && isSingle(c)) {
      bool more = a.rank() > c.rank();
      Array &fewer = more ? c : a;
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(
          (more ? sketch.elseBlock() : sketch.thenBlock())->getTerminator());
      fewer = t.reshape(fewer, (more ? a : c).dims);
    }
    if (a.rank() != c.rank()) {
      t.discard(sketch);
      bool second = n.guess();
      Code code(b, t.loc);
      t.check(second ? code.negate(bit) : bit,
              "the other branch would make a tensor of another rank");
      return finishBranch(n, second ? *elseGraph : *thenGraph);
    }
    Dims shape;
    for (auto [x, y] : llvm::zip(a.dims, c.dims)) {
      bool same = t.dims.equal(x, y) && isOutside(x, sketch.getThenRegion()) &&
                  isOutside(x, sketch.getElseRegion());
      shape.push_back(same ? x : Dim());
    }
    SmallVector<int64_t> sizes;
    for (Dim dim : shape)
      sizes.push_back(dim ? DimMath::value(dim).value_or(ShapedType::kDynamic)
                          : ShapedType::kDynamic);
    types.push_back(
        RankedTensorType::get(sizes, storageType(b.getContext(), a.type)));
    shapes.push_back(shape);
  }
  for (int i = 0; i < 2; ++i) {
    OpBuilder::InsertionGuard guard(b);
    Operation *end =
        (i ? sketch.elseBlock() : sketch.thenBlock())->getTerminator();
    b.setInsertionPoint(end);
    SmallVector<Value> yields;
    t.dims.pushScope();
    for (unsigned k = 0; k < n.outputCount(); ++k)
      yields.push_back(valueAs(t, (*results[i])[k], shapes[k]));
    t.dims.popScope();
    scf::YieldOp::create(b, t.loc, yields);
    end->erase();
  }
  auto op = scf::IfOp::create(b, t.loc, types, bit, /*withElseRegion=*/true);
  op.getThenRegion().takeBody(sketch.getThenRegion());
  op.getElseRegion().takeBody(sketch.getElseRegion());
  sketch.erase();
  for (unsigned k = 0; k < n.outputCount(); ++k)
    n.set(k, arrayOf(t, op.getResult(k), (*results[0])[k].type, shapes[k]));
}

} // namespace nestor::onnx

namespace {

/// What goes round a loop: types, and sizes where they stay (null: `?`).
struct Carried {
  DataType type;
  Dims shape;
};

/// Sizes that `next` does not keep become `?`; true when some did.
bool widen(TensorBuilder &t, Carried &carried, const Array &next,
           Region &region) {
  bool changed = false;
  for (auto [have, now] : llvm::zip(carried.shape, next.dims))
    if (have && !(t.dims.equal(have, now) && isOutside(now, region))) {
      // A size equal to one from outside may be written by that one.
      if (t.dims.equal(have, now))
        continue;
      have = Dim();
      changed = true;
    }
  return changed;
}

Array scalarIndex(TensorBuilder &t, Value index) {
  t.dims.setNonNegative(index);
  return t.known(DataType::Int64, {}, {Dim(index)});
}

/// Writes `element` at `position` of the first dim of `whole`.
Array insertAt(TensorBuilder &t, Array whole, Array element, Value position,
               int64_t axis) {
  SmallVector<int32_t> kinds(element.rank(), 0);
  return t.loops({element}, {whole}, element.dims, kinds,
                 [&](Code &c, ValueRange i, ValueRange in, ValueRange out) {
                   SmallVector<Value> at(i.begin(), i.end());
                   at.insert(at.begin() + axis, position);
                   c.store(c.load(in[0], i), out[0], at);
                 })[0];
}

Array selectAt(TensorBuilder &t, Array whole, Value position, int64_t axis) {
  Dims starts(whole.rank(), t.dims.constant(0)),
      steps(whole.rank(), t.dims.constant(1)), sizes(whole.dims), shape(sizes);
  starts[axis] = position;
  sizes[axis] = t.dims.constant(1);
  shape.erase(shape.begin() + axis);
  return t.reshape(t.slice(whole, starts, steps, sizes), shape);
}

} // namespace

namespace nestor::onnx {

// before: Loop(M, cond, v...) with body (i, cond, v...) -> (cond, v...,
// scan...) after:  scf.while over (i, cond, v..., scan...); a scan grows by
// concatenation
void importLoop(NodeContext &n, TensorBuilder &t) {
  const Graph *body = n.graph("body");
  if (n.failed())
    return;
  Array limit = n.optional(0), go = n.optional(1);
  size_t states = n.inputCount() > 2 ? n.inputCount() - 2 : 0;
  if (body->inputs.size() != states + 2 || body->outputs.size() < states + 1 ||
      n.outputCount() > body->outputs.size() - 1)
    return n.malformed("the body does not fit the node's inputs and outputs");
  size_t scans = body->outputs.size() - 1 - states;
  OpBuilder &b = t.builder;
  SmallVector<Array> start;
  SmallVector<Carried> carried;
  for (size_t i = 0; i < states; ++i) {
    start.push_back(n.input(2 + i));
    if (n.failed())
      return;
    carried.push_back({start[i].type, start[i].dims});
  }
  std::optional<Dims> count;
  if (limit && !(count = t.elements(t.reshape(limit, {}), "the trip count")))
    return;
  Value bound =
      t.dims.toValue(count ? (*count)[0] : t.dims.constant(INT64_MAX));
  Value first = go ? conditionValue(t, go) : Value();
  if (first && !first.getType().isInteger(1))
    n.malformed("the condition of a loop is not boolean");
  if (n.failed())
    return;
  if (!first)
    first = arith::ConstantOp::create(b, t.loc, b.getBoolAttr(true));
  Value zero = t.dims.toValue(t.dims.constant(0));

  // The scans' element types and shapes show only in the body.
  std::optional<SmallVector<Carried>> scanned;
  if (scans == 0)
    scanned.emplace();
  for (unsigned attempt = 0; attempt < 8; ++attempt) {
    SmallVector<Value> inits{zero, first};
    SmallVector<Type> types{b.getIndexType(), b.getI1Type()};
    for (auto [array, what] : llvm::zip(start, carried)) {
      inits.push_back(valueAs(t, array, what.shape));
      types.push_back(inits.back().getType());
    }
    if (scanned)
      for (const Carried &what : *scanned) {
        Dims shape{t.dims.constant(0)};
        for (Dim dim : what.shape)
          shape.push_back(dim ? dim : t.dims.constant(0));
        Dims wanted{Dim()};
        wanted.append(what.shape);
        inits.push_back(valueAs(t, t.undefined(what.type, shape), wanted));
        types.push_back(inits.back().getType());
      }
    auto loop = scf::WhileOp::create(b, t.loc, types, inits);
    SmallVector<Location> locs(types.size(), t.loc);
    Block *before = b.createBlock(&loop.getBefore(), {}, types, locs);
    {
      Code c(b, t.loc);
      Value more =
          c.conj(c.lt(before->getArgument(0), bound), before->getArgument(1));
      scf::ConditionOp::create(b, t.loc, more, before->getArguments());
    }
    Block *after = b.createBlock(&loop.getAfter(), {}, types, locs);
    t.dims.pushScope();
    SmallVector<Array> arguments{scalarIndex(t, after->getArgument(0))};
    arguments.push_back(
        t.known(DataType::Bool, {},
                {Dim(arith::IndexCastUIOp::create(b, t.loc, b.getIndexType(),
                                                  after->getArgument(1))
                         .getResult())}));
    for (size_t i = 0; i < states; ++i)
      arguments.push_back(arrayOf(t, after->getArgument(2 + i), carried[i].type,
                                  carried[i].shape));
    auto results = n.importGraph(*body, arguments);
    bool again = false;
    SmallVector<Value> yields;
    if (results) {
      Code c(b, t.loc);
      yields.push_back(c.add(after->getArgument(0), c.index(1)));
      yields.push_back(conditionValue(t, (*results)[0]));
      if (!yields.back() || !yields.back().getType().isInteger(1))
        n.malformed("the condition of a loop is not boolean");
      for (size_t i = 0; i < states; ++i) {
        Array &next = (*results)[1 + i];
        if (next.type != carried[i].type)
          n.malformed("a loop variable changes its type");
        else if (next.rank() != int64_t(carried[i].shape.size()))
          n.unsupported("a loop variable that changes its rank");
        else
          again |= widen(t, carried[i], next, loop.getAfter());
      }
      if (!scanned) {
        again = true;
        scanned.emplace();
        for (size_t i = 0; i < scans; ++i) {
          Array &element = (*results)[1 + states + i];
          Carried what{element.type, element.dims};
          for (Dim &dim : what.shape)
            if (!isOutside(dim, loop.getAfter()))
              dim = Dim();
          scanned->push_back(what);
        }
      }
      if (!again && !n.failed()) {
        for (size_t i = 0; i < states; ++i)
          yields.push_back(valueAs(t, (*results)[1 + i], carried[i].shape));
        for (size_t i = 0; i < scans; ++i) {
          Dims shape{Dim()};
          shape.append((*scanned)[i].shape);
          Array sofar = arrayOf(t, after->getArgument(2 + states + i),
                                (*scanned)[i].type, shape);
          Array element = t.unsqueeze((*results)[1 + states + i], 0);
          // Before the first element unknown sizes are 0: take the element's.
          sofar.dims.assign({sofar.dims[0]});
          sofar.dims.append(element.dims.begin() + 1, element.dims.end());
          sofar.value = model::ReshapeOp::create(
              b, t.loc, t.tensorType(sofar.type, sofar.dims), sofar.value,
              t.dims.dynamic(sofar.dims));
          yields.push_back(valueAs(t, t.concat({sofar, element}, 0), shape));
        }
        scf::YieldOp::create(b, t.loc, yields);
      }
    }
    t.dims.popScope();
    b.setInsertionPointAfter(loop);
    if (n.failed())
      return;
    if (again) {
      t.discard(loop);
      continue;
    }
    for (size_t i = 0; i < states; ++i)
      if (n.wants(i))
        n.set(i, arrayOf(t, loop.getResult(2 + i), carried[i].type,
                         carried[i].shape));
    for (size_t i = 0; i < scans; ++i) {
      Dims shape{Dim()};
      shape.append((*scanned)[i].shape);
      if (n.wants(states + i))
        n.set(states + i, arrayOf(t, loop.getResult(2 + states + i),
                                  (*scanned)[i].type, shape));
    }
    return;
  }
  n.unsupported("loop variables whose sizes do not settle");
}

// before: Scan over axes of its last inputs
// after:  scf.for over their common length; outputs are written in place
void importScan(NodeContext &n, TensorBuilder &t) {
  const Graph *body = n.graph("body");
  int64_t scanned = n.requiredInteger("num_scan_inputs");
  if (n.failed())
    return;
  bool batched = n.version() < 9;
  SmallVector<Array> inputs = n.allInputs();
  if (batched) {
    if (n.has(0))
      return n.unsupported("sequence_lens");
    inputs.erase(inputs.begin());
    t.errorKind.reset();
  }
  if (n.failed())
    return;
  int64_t states = int64_t(inputs.size()) - scanned;
  if (scanned < 1 || states < 0 || int64_t(body->outputs.size()) < states ||
      n.outputCount() > body->outputs.size())
    return n.malformed("the body does not fit the node's inputs and outputs");
  if (batched) {
    // One batch element alone is the same as none.
    for (Array &input : inputs) {
      if (input.rank() < 1 || !DimMath::isOne(input.dims[0]))
        return n.unsupported("a batch of more than one");
      input = t.reshape(input, llvm::ArrayRef<Dim>(input.dims).drop_front());
    }
  }
  int64_t outputs = int64_t(body->outputs.size()) - states;
  auto list = [&](llvm::StringRef name, int64_t size) {
    auto given = n.integers(name);
    SmallVector<int64_t> result =
        given ? *given : SmallVector<int64_t>(size, 0);
    if (int64_t(result.size()) != size)
      n.malformed("attribute '" + name + "' has the wrong length");
    return result;
  };
  SmallVector<int64_t> inAxes = list("scan_input_axes", scanned),
                       inTurn = list(batched ? "directions"
                                             : "scan_input_directions",
                                     scanned),
                       outAxes = list("scan_output_axes", outputs),
                       outTurn = list("scan_output_directions", outputs);
  if (n.failed())
    return;
  Dim length;
  for (int64_t i = 0; i < scanned; ++i) {
    Array &x = inputs[states + i];
    inAxes[i] = n.axis(inAxes[i], x.rank());
    if (n.failed())
      return;
    if (length)
      t.require(length, x.dims[inAxes[i]], "the scanned lengths differ");
    else
      length = x.dims[inAxes[i]];
  }
  OpBuilder &b = t.builder;
  SmallVector<Carried> carried;
  for (int64_t i = 0; i < states; ++i)
    carried.push_back({inputs[i].type, inputs[i].dims});
  std::optional<SmallVector<Carried>> made;
  if (outputs == 0)
    made.emplace();
  for (unsigned attempt = 0; attempt < 8 && !n.failed(); ++attempt) {
    SmallVector<Value> inits;
    for (int64_t i = 0; i < states; ++i)
      inits.push_back(valueAs(t, inputs[i], carried[i].shape));
    if (made)
      for (Carried &what : *made)
        inits.push_back(
            valueAs(t, t.undefined(what.type, what.shape), what.shape));
    Code outer(b, t.loc);
    Value end = t.dims.toValue(length);
    auto loop = scf::ForOp::create(b, t.loc, outer.index(0), end,
                                   outer.index(1), inits);
    bool again = false;
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(loop.getBody());
      t.dims.pushScope();
      Value step = loop.getInductionVar();
      t.dims.setNonNegative(step);
      auto position = [&](bool turned) -> Value {
        return turned ? t.dims.toValue(t.dims.sub(
                            t.dims.sub(length, t.dims.constant(1)), step))
                      : step;
      };
      SmallVector<Array> arguments;
      for (int64_t i = 0; i < states; ++i)
        arguments.push_back(arrayOf(t, loop.getRegionIterArg(i),
                                    carried[i].type, carried[i].shape));
      for (int64_t i = 0; i < scanned; ++i)
        arguments.push_back(
            selectAt(t, inputs[states + i], position(inTurn[i]), inAxes[i]));
      auto results = n.importGraph(*body, arguments);
      SmallVector<Value> yields;
      for (int64_t i = 0; results && i < states; ++i) {
        Array &next = (*results)[i];
        if (next.type != carried[i].type ||
            next.rank() != int64_t(carried[i].shape.size()))
          n.malformed("a state changes its type or rank");
        else
          again |= widen(t, carried[i], next, loop.getRegion());
      }
      if (results && !made) {
        again = true;
        made.emplace();
        for (int64_t i = 0; i < outputs; ++i) {
          Array &element = (*results)[states + i];
          Carried what{element.type, element.dims};
          for (Dim dim : what.shape)
            if (!isOutside(dim, loop.getRegion()))
              n.unsupported("a scanned output of changing size");
          int64_t rank = element.rank() + 1;
          outAxes[i] = n.axis(outAxes[i], rank);
          what.shape.insert(what.shape.begin() + outAxes[i], length);
          made->push_back(what);
        }
      }
      if (results && !again && !n.failed()) {
        for (int64_t i = 0; i < states; ++i)
          yields.push_back(valueAs(t, (*results)[i], carried[i].shape));
        for (int64_t i = 0; i < outputs; ++i) {
          Array whole = arrayOf(t, loop.getRegionIterArg(states + i),
                                (*made)[i].type, (*made)[i].shape);
          yields.push_back(valueAs(t,
                                   insertAt(t, whole, (*results)[states + i],
                                            position(outTurn[i]), outAxes[i]),
                                   (*made)[i].shape));
        }
        b.setInsertionPointToEnd(loop.getBody());
        scf::YieldOp::create(b, t.loc, yields);
      }
      t.dims.popScope();
    }
    if (n.failed())
      return;
    if (again) {
      t.discard(loop);
      continue;
    }
    for (int64_t i = 0; i < states + outputs; ++i) {
      if (!n.wants(i))
        continue;
      const Carried &what = i < states ? carried[i] : (*made)[i - states];
      Array result = arrayOf(t, loop.getResult(i), what.type, what.shape);
      n.set(i, batched ? t.unsqueeze(result, 0) : result);
    }
    return;
  }
  n.unsupported("states whose sizes do not settle");
}

} // namespace nestor::onnx
