//===- Einsum.cpp - Einsum ------------------------------------------------===//
//
// before: "bij,bjk->bik"
// after:  one contraction, loops (result labels..., summed labels...), every
//         input read through a map of its labels
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/ImportContext.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace nestor;
using namespace nestor::onnx;

namespace {

/// Labels are letters; the dims of an ellipsis are numbered from the last one.
using Label = int32_t;
constexpr Label kEllipsis = 1 << 16;

/// The labels of a term; `extra` is how many dims an ellipsis stands for.
std::optional<SmallVector<Label>> labelsOf(llvm::StringRef term,
                                           int64_t extra) {
  SmallVector<Label> labels;
  bool seen = false;
  for (size_t i = 0; i < term.size(); ++i) {
    if (llvm::isAlpha(term[i])) {
      labels.push_back(term[i]);
      continue;
    }
    if (seen || extra < 0 || !term.substr(i).starts_with("..."))
      return std::nullopt;
    seen = true;
    i += 2;
    for (int64_t k = extra; k-- > 0;)
      labels.push_back(kEllipsis + k);
  }
  return labels;
}

int64_t letters(llvm::StringRef term) {
  return llvm::count_if(term, [](char ch) { return llvm::isAlpha(ch); });
}

} // namespace

namespace nestor::onnx {

void importEinsum(NodeContext &n, TensorBuilder &t) {
  SmallVector<Array> inputs = n.allInputs();
  std::string equation;
  for (char ch : n.string("equation", ""))
    if (ch != ' ')
      equation += ch;
  if (n.failed())
    return;
  auto [left, right] = llvm::StringRef(equation).split("->");
  bool arrow = llvm::StringRef(equation).contains("->");
  SmallVector<llvm::StringRef> terms;
  left.split(terms, ',');
  if (terms.size() != inputs.size() || equation.size() > 500)
    return n.malformed("the equation does not have one term an input");

  SmallVector<SmallVector<Label>> labels;
  SmallVector<Label> order; // of first appearance
  llvm::DenseMap<Label, unsigned> uses;
  int64_t widest = 0;
  for (auto [term, input] : llvm::zip(terms, inputs)) {
    if (input.type != inputs[0].type || input.type == DataType::Bool)
      return n.malformed("the inputs must be numbers of one type");
    int64_t extra = input.rank() - letters(term);
    bool dots = term.contains("...");
    auto list = labelsOf(term, dots ? extra : (extra == 0 ? 0 : -1));
    if (!list || int64_t(list->size()) != input.rank())
      return n.malformed("a term of the equation does not fit its input");
    if (dots)
      widest = std::max(widest, extra);
    labels.push_back(*list);
    for (Label label : *list) {
      if (!llvm::is_contained(order, label))
        order.push_back(label);
      ++uses[label];
    }
  }
  SmallVector<Label> result;
  if (arrow) {
    auto list = labelsOf(right, widest);
    if (!list)
      return n.malformed("the equation's result is not understood");
    result = *list;
  } else {
    // The ellipsis, then the labels that appear once, in alphabetical order.
    for (int64_t k = widest; k-- > 0;)
      result.push_back(kEllipsis + k);
    SmallVector<Label> single;
    for (Label label : order)
      if (label < kEllipsis && uses[label] == 1)
        single.push_back(label);
    llvm::sort(single);
    result.append(single);
  }
  SmallVector<Label> loops;
  for (Label label : result) {
    if (!llvm::is_contained(order, label) || llvm::is_contained(loops, label))
      return n.malformed("the equation's result is not understood");
    loops.push_back(label);
  }
  for (Label label : order)
    if (!llvm::is_contained(loops, label))
      loops.push_back(label);

  // The size of each label: dims of 1 broadcast.
  llvm::DenseMap<Label, Dim> sizes;
  for (auto [list, input] : llvm::zip(labels, inputs))
    for (auto [label, dim] : llvm::zip(list, input.dims)) {
      auto [it, fresh] = sizes.try_emplace(label, dim);
      if (fresh || DimMath::isOne(dim))
        continue;
      if (DimMath::isOne(it->second) || DimMath::value(dim)) {
        if (!DimMath::isOne(it->second))
          t.require(it->second, dim, "sizes of one label differ");
        it->second = dim;
      } else {
        t.require(it->second, dim, "sizes of one label differ");
      }
    }
  if (n.failed())
    return;
  SmallVector<Operand> operands;
  for (auto [list, input] : llvm::zip(labels, inputs)) {
    SmallVector<AffineExpr> exprs;
    for (auto [label, dim] : llvm::zip(list, input.dims)) {
      bool spread = DimMath::isOne(dim) && !DimMath::isOne(sizes[label]);
      exprs.push_back(spread ? t.c(0)
                             : t.d(llvm::find(loops, label) - loops.begin()));
    }
    operands.push_back({input, t.map(loops.size(), exprs)});
  }
  Dims shape;
  for (Label label : result)
    shape.push_back(sizes[label]);
  DataType type = inputs[0].type, acc = TensorBuilder::accumulator(type);
  auto product = [&](Code &c, ValueRange v) {
    Value p = v[0];
    for (Value factor : v.drop_front())
      p = c.mul(p, factor);
    return p;
  };
  unsigned summed = loops.size() - result.size();
  if (summed == 0)
    return n.set(0, t.generic(type, shape, operands, product));
  n.set(0, t.convert(
               t.reduction(acc, shape, summed, operands, t.startValue(acc, 0),
                           [&](Code &c, ValueRange v) {
                             return c.add(v.back(), product(c, v.drop_back()));
                           }),
               type));
}

} // namespace nestor::onnx
