//===- ImportContext.h - Writing an ONNX operator ---------------*- C++ -*-===//
//
// How to add an operator:
//
//   1. Write `void importFoo(NodeContext &n, TensorBuilder &t)` in
//      lib/Import/ONNX/Ops/Foo.cpp (small ones share a family's file; a unit
//      costs seconds). An elementwise operator is a row of a table instead
//      (Ops/Unary.cpp, Ops/Binary.cpp).
//   2. Add `NESTOR_ONNX_OP(Foo, importFoo, 1)` to lib/Import/ONNX/Ops.def; the
//      number is the first opset whose form the handler understands.
//
// In a handler:
//
//   * Inputs: `n.input(i)` (must be there), `n.optional(i)` (may be false).
//   * Attributes: `n.integer("axis", -1)`, `n.real`, `n.string`, `n.integers`,
//     ... A wrong kind is recorded as an error and the default returned.
//   * `n.version()` is the opset of the node's domain: semantics differ, look
//     every version up.
//   * After the inputs and attributes: `if (n.failed()) return;`. From there on
//     errors are sticky (TensorBuilder.h): `return n.malformed("...")` for a
//     file that is wrong, `n.unsupported("...")` for a form that we lack.
//   * Results: `n.set(i, array)`. The result of a false Array is an error that
//     has been recorded.
//   * Sizes are `Dim`s; compute with `t.dims`, never on raw integers, and
//     static ones stay static by themselves.
//   * Small integer tensors (shapes, axes, starts) are read with
//     `t.elements(array, "starts")`, known or not; when an operator can compute
//     with known contents (`array.known`), it returns `t.known(...)`.
//   * 16-bit floats: bodies see f32 (TensorBuilder widens and narrows); sums of
//     them accumulate in f32 (`TensorBuilder::accumulator`).
//   * Sizes and indices read from data must be clamped into range in the body.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_ONNX_IMPORTCONTEXT_H
#define NESTOR_IMPORT_ONNX_IMPORTCONTEXT_H

#include "nestor/Import/ONNX/TensorBuilder.h"

namespace nestor::onnx {

class Importer;

/// One node being imported: its inputs, attributes and results.
class NodeContext {
public:
  NodeContext(Importer &importer, TensorBuilder &t, const Node &node,
              int64_t version, llvm::SmallVector<Array> inputs);

  llvm::StringRef op() const { return node.op; }
  const Node &getNode() const { return node; }
  int64_t version() const { return opset; }

  unsigned inputCount() const { return inputs.size(); }
  unsigned outputCount() const { return node.outputs.size(); }
  /// Whether input `i` is given, output `i` asked for.
  bool has(unsigned i) const { return i < inputs.size() && bool(inputs[i]); }
  bool wants(unsigned i) const {
    return i < node.outputs.size() && !node.outputs[i].empty();
  }
  Array input(unsigned i);
  /// An input that must be of a float type.
  Array realInput(unsigned i);
  Array optional(unsigned i) const { return has(i) ? inputs[i] : Array(); }
  llvm::SmallVector<Array> allInputs();

  // Attributes; a reference in a function body is resolved.
  const NodeAttribute *attribute(llvm::StringRef name) const;
  bool hasAttribute(llvm::StringRef name) const { return attribute(name); }
  int64_t integer(llvm::StringRef name, int64_t fallback);
  int64_t requiredInteger(llvm::StringRef name);
  double real(llvm::StringRef name, double fallback);
  llvm::StringRef string(llvm::StringRef name, llvm::StringRef fallback);
  std::optional<llvm::SmallVector<int64_t>> integers(llvm::StringRef name);
  std::optional<llvm::SmallVector<float>> reals(llvm::StringRef name);
  std::optional<llvm::SmallVector<llvm::StringRef>>
  strings(llvm::StringRef name);
  const Tensor *tensor(llvm::StringRef name);
  const Graph *graph(llvm::StringRef name);

  /// An axis brought into [0, rank); Malformed outside [-rank, rank).
  int64_t axis(int64_t axis, int64_t rank);
  /// The same for a list, which must not repeat; sorted on request.
  std::optional<llvm::SmallVector<int64_t>>
  axes(llvm::ArrayRef<int64_t> axes, int64_t rank, bool sort = true);
  /// Axes from input `i` or, before the opset moved them, attribute `name`;
  /// nothing when neither is given.
  std::optional<llvm::SmallVector<int64_t>>
  axesFrom(unsigned i, llvm::StringRef name, int64_t rank, bool &given);

  bool failed() const { return t.failed(); }
  void malformed(const llvm::Twine &message) { t.malformed(message); }
  void unsupported(const llvm::Twine &message) { t.unsupported(message); }

  void set(unsigned i, Array array);
  llvm::ArrayRef<Array> results() const { return outputs; }

  /// Imports a subgraph (of If, Loop, Scan) here, seeing the names around the
  /// node; `arguments` are bound to the graph's inputs. Returns its outputs.
  std::optional<llvm::SmallVector<Array>>
  importGraph(const Graph &graph, llvm::ArrayRef<Array> arguments);

  /// A choice that only the rest of the graph can judge: false first, true when
  /// an import with false fails. The caller emits the run-time check.
  bool guess();

private:
  Importer &importer;
  TensorBuilder &t;
  const Node &node;
  int64_t opset;
  llvm::SmallVector<Array> inputs;
  llvm::SmallVector<Array> outputs;

  const NodeAttribute *typed(llvm::StringRef name, AttributeKind kind);
};

using OpHandler = void (*)(NodeContext &, TensorBuilder &);

/// The handler of an operator, and the first opset that it understands.
struct OpEntry {
  OpHandler handler;
  int64_t since;
};
/// Null when there is none.
const OpEntry *findOp(llvm::StringRef domain, llvm::StringRef op);

} // namespace nestor::onnx

#endif // NESTOR_IMPORT_ONNX_IMPORTCONTEXT_H
