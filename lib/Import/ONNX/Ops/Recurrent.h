//===- Recurrent.h - What RNN, GRU and LSTM share ---------------*- C++ -*-===//
//
// before: one node over a whole sequence
// after:  the input projection X W^T + b as one contraction over all steps;
//         then for each direction a loop over time that carries the states and
//         does the recurrent product and the cell's pointwise part
//
// Assumes: the hidden size is known.
// Leaves true: steps beyond a batch entry's sequence length leave its states
// as they were and write 0.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_IMPORT_ONNX_OPS_RECURRENT_H
#define NESTOR_LIB_IMPORT_ONNX_OPS_RECURRENT_H

#include "nestor/Import/ONNX/ImportContext.h"

namespace nestor::onnx {

/// An activation with its parameters.
struct Activation {
  enum Kind {
    Relu,
    Tanh,
    Sigmoid,
    Affine,
    LeakyRelu,
    ThresholdedRelu,
    ScaledTanh,
    HardSigmoid,
    Elu,
    Softsign,
    Softplus,
  } kind;
  double alpha = 0, beta = 0;

  mlir::Value apply(Code &c, mlir::Value x) const;
};

/// A recurrent node, its inputs checked and brought to the layout with time
/// first.
struct Recurrence {
  int64_t gates = 1, hidden = 0, directions = 1;
  bool batchFirst = false;
  /// The first (or only) direction runs backwards.
  bool reverse = false;
  std::optional<double> clip;
  /// The activations of one direction after those of the other.
  llvm::SmallVector<Activation> activations;
  /// The recurrent bias stays out of the projection (GRU's
  /// linear_before_reset).
  bool lateBias = false;

  Array x, w, r, b, lengths;
  Dim steps, batch;

  /// Reads what all three operators have: inputs 0 to 4 and the attributes.
  static std::optional<Recurrence>
  read(NodeContext &n, TensorBuilder &t, int64_t gates,
       llvm::ArrayRef<Activation::Kind> defaults);

  /// Input `i` as the initial state of all directions, [directions, batch,
  /// hidden] (zeros when it is not given).
  Array initial(NodeContext &n, TensorBuilder &t, unsigned i) const;
  /// The part of a tensor with the directions first that is one direction's.
  static Array part(TensorBuilder &t, Array array, int64_t direction);

  mlir::Value clipped(Code &c, mlir::Value v) const;
};

/// One step of one direction: what the cell's pointwise parts are made with.
class Step {
public:
  Step(const Recurrence &cell, TensorBuilder &t, int64_t direction,
       Array projected, mlir::Value time);

  const Recurrence &cell;
  TensorBuilder &t;
  int64_t direction;

  const Activation &activation(unsigned i) const {
    return cell
        .activations[direction * (cell.activations.size() / cell.directions) +
                     i];
  }
  /// state [batch, hidden] times the recurrent weights (transposed) of gates
  /// [first, first + count): [batch, count * hidden].
  Array recurrent(Array state, Array weights);

  /// The pointwise part: inputs are added, then `run` makes a [batch, hidden]
  /// tensor from them.
  class Pointwise {
  public:
    explicit Pointwise(Step &step) : step(step) {}
    /// A [batch, hidden] tensor.
    unsigned state(Array array);
    /// Gate `g` of a [batch, k * hidden] tensor or a [k * hidden] vector.
    unsigned gate(Array array, int64_t g);
    /// The projection of gate `g` at this step.
    unsigned projection(int64_t g);
    /// `body` gets all inputs; the result keeps `old` where the sequence is
    /// over.
    Array run(ElementFn body, Array old);

  private:
    Step &step;
    llvm::SmallVector<Operand> operands;
    /// Inputs that are read at the step's time instead: the gate, else -1.
    llvm::SmallVector<int64_t> timed;
  };

private:
  friend class Pointwise;
  /// [steps, batch, gates * hidden], or [batch, gates * hidden] when there is
  /// only one step.
  Array projected;
  mlir::Value time;
};

/// Makes the next states of one step; states[0] is H.
using StepFn = llvm::function_ref<llvm::SmallVector<Array>(
    Step &, llvm::ArrayRef<Array> states)>;

/// Runs all directions and sets the results: Y, then one a state.
void runRecurrence(NodeContext &n, TensorBuilder &t, const Recurrence &cell,
                   llvm::ArrayRef<Array> initialStates, StepFn step);

} // namespace nestor::onnx

#endif // NESTOR_LIB_IMPORT_ONNX_OPS_RECURRENT_H
