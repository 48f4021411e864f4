//===- TensorBuilder.h - Making tensors from tensors ------------*- C++ -*-===//
//
// What operators are written with. An `Array` is an ONNX tensor during import;
// the builder's functions make Arrays from Arrays by emitting linalg.generic
// and the few other operators of the tensor level.
//
// Errors are sticky: a function that fails records one error (`fail`) and
// returns an Array that is false; given a false Array every function does
// nothing and returns a false one. Operators check `failed()` only before they
// look inside an Array.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_ONNX_TENSORBUILDER_H
#define NESTOR_IMPORT_ONNX_TENSORBUILDER_H

#include "nestor/Import/ONNX/Code.h"
#include "nestor/Import/ONNX/Dims.h"
#include "nestor/Import/ONNX/Model.h"
#include "nestor/Support/ConstantPool.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/AffineMap.h"

#include <deque>

namespace nestor::onnx {

/// Tensors of at most this many elements have known contents.
inline constexpr int64_t kKnownLimit = 256;

/// A constant's bytes and the value that stands for them once one is needed.
struct Literal {
  TensorData data;
  llvm::SmallVector<int64_t> dims;
  DataType type;
  mlir::Value value;
};

/// An ONNX tensor value during import.
struct Array {
  DataType type = DataType::Undefined;
  Dims dims;
  /// The SSA tensor; null until `TensorBuilder::value` makes it from the
  /// literal or the known elements.
  mlir::Value value;
  /// The elements, when few and known: IntegerAttr or index Value for integers
  /// and bools (0 and 1), FloatAttr for floats. Shapes live here.
  std::shared_ptr<const Dims> known;
  /// The constant that this is (a reshape of).
  std::shared_ptr<Literal> literal;

  explicit operator bool() const { return type != DataType::Undefined; }
  int64_t rank() const { return dims.size(); }
  bool isStatic() const { return DimMath::values(dims).has_value(); }
};

/// An input of a generic with the map from the loops to its elements.
struct Operand {
  Array array;
  mlir::AffineMap map;
};

/// Makes a result element from input elements (each in its compute type).
using ElementFn =
    llvm::function_ref<mlir::Value(Code &, mlir::ValueRange inputs)>;

class TensorBuilder {
public:
  TensorBuilder(mlir::OpBuilder &builder, mlir::Block *entry,
                ConstantPool &pool);

  mlir::OpBuilder &builder;
  mlir::Block *entry;
  ConstantPool &pool;
  ~TensorBuilder();
  /// Takes `op` out of the program. It dies in `release`, not before:
  /// sizes are remembered by value, and a new value must not get its address.
  void discard(mlir::Operation *op);
  /// Ends the life of discarded operations; the builder is not used afterwards.
  void release();

  /// Arithmetic on sizes.
  DimMath dims;
  /// Where emitted operations say they come from.
  mlir::Location loc;
  ExternalFiles *externals = nullptr;

  // --- Errors.
  bool failed() const { return bool(errorKind); }
  /// Records the error (the first one counts) and returns a false Array.
  Array fail(ErrorKind kind, const llvm::Twine &message);
  Array malformed(const llvm::Twine &m) {
    return fail(ErrorKind::Malformed, m);
  }
  Array unsupported(const llvm::Twine &m) {
    return fail(ErrorKind::Unsupported, m);
  }
  std::optional<ErrorKind> errorKind;
  std::string errorText;

  // --- Constants.
  /// A scalar (rank 0).
  Array scalar(DataType type, double value);
  /// A rank-1 int64 tensor of known elements.
  Array ints(llvm::ArrayRef<Dim> values);
  /// A tensor of known elements.
  Array known(DataType type, llvm::ArrayRef<Dim> shape, Dims elements);
  Array constant(const Tensor &tensor);
  Array constant(TensorData data, llvm::ArrayRef<int64_t> shape, DataType type);
  /// A tensor of `shape` filled with a number.
  Array fill(DataType type, llvm::ArrayRef<Dim> shape, double value);

  // --- What an Array is.
  /// The SSA tensor.
  mlir::Value value(Array &array);
  mlir::RankedTensorType tensorType(DataType type, llvm::ArrayRef<Dim> shape);
  /// The Array of an SSA tensor whose static dims are in its type; dynamic
  /// ones become tensor.dim.
  Array wrap(mlir::Value value, DataType type);
  /// The elements of an integer or bool tensor of static size as sizes: the
  /// known ones, else read at run time (tensor.extract). Fails with
  /// Unsupported when the tensor's own size is unknown.
  std::optional<Dims> elements(Array array, const llvm::Twine &what);
  /// The same when they must be numbers now.
  std::optional<llvm::SmallVector<int64_t>> integers(Array array,
                                                     const llvm::Twine &what);
  /// The known float elements of a constant.
  std::optional<llvm::SmallVector<double>> floats(Array array,
                                                  const llvm::Twine &what);
  /// A scalar as a function-level SSA value of its storage type.
  mlir::Value scalarValue(Array array);
  /// The one number of a known scalar, when it is a number now.
  std::optional<double> number(const Array &array);

  // --- Checks and facts at run time.
  void check(mlir::Value condition, const llvm::Twine &message);
  /// Makes two sizes equal: Malformed when they cannot be, nothing when they
  /// are, else a run-time check, after which they count as equal.
  void require(Dim a, Dim b, const llvm::Twine &message);

  // --- Elementwise.
  /// The numpy broadcast of shapes.
  std::optional<Dims> broadcast(llvm::ArrayRef<Dims> shapes);
  /// `out[i] = body(ins[i]...)` with ONNX broadcasting.
  Array elementwise(DataType out, llvm::ArrayRef<Array> ins, ElementFn body);
  /// The same over a shape that the inputs broadcast to.
  Array elementwiseTo(DataType out, llvm::ArrayRef<Dim> shape,
                      llvm::ArrayRef<Array> ins, ElementFn body);
  Array broadcastTo(Array array, llvm::ArrayRef<Dim> shape);
  /// ONNX Cast.
  Array convert(Array array, DataType to);
  Array add(Array a, Array b);
  Array sub(Array a, Array b);
  Array mul(Array a, Array b);
  Array div(Array a, Array b);

  // --- Loops over an index space.
  /// `out[d0, ...] = body(ins[map]...)`; the body may use code.loop(d),
  /// code.extract of captured tensors (see `value`) and captured index values.
  Array generic(DataType out, llvm::ArrayRef<Dim> shape,
                llvm::ArrayRef<Operand> ins, ElementFn body);
  /// `out[d0, ...] = body()`: gathers, slices, pads.
  Array gather(DataType out, llvm::ArrayRef<Dim> shape,
               llvm::function_ref<mlir::Value(Code &)> body);
  /// A single reduction: loops are the dims of `shape`, then `reduceLoops`
  /// more. `body(ins..., accumulator)` gives the next accumulator; it starts as
  /// `start` (any scalar attribute of acc's compute type). The result has type
  /// acc.
  Array reduction(DataType acc, llvm::ArrayRef<Dim> shape, unsigned reduceLoops,
                  llvm::ArrayRef<Operand> ins, mlir::TypedAttr start,
                  ElementFn body);
  /// Reduces `axes` of one array; the result drops them.
  Array reduceAxes(DataType acc, Array array, llvm::ArrayRef<int64_t> axes,
                   mlir::TypedAttr start, ElementFn body);
  /// Puts dims of 1 where `axes` were.
  Array keepDims(Array reduced, llvm::ArrayRef<int64_t> axes);
  /// Sum and maximum over axes, axes kept as 1.
  Array sumKeep(Array array, llvm::ArrayRef<int64_t> axes);
  Array maxKeep(Array array, llvm::ArrayRef<int64_t> axes);
  mlir::TypedAttr startValue(DataType acc, double value);
  mlir::TypedAttr lowestValue(DataType acc);
  mlir::TypedAttr highestValue(DataType acc);
  /// The accumulator for sums of `type`: f32 for 16-bit floats.
  static DataType accumulator(DataType type);

  /// An ordered or irregular computation (model.loops). `outs` are initial
  /// values (see `undefined`); kinds as in model::LoopsIterator.
  using LoopsFn =
      llvm::function_ref<void(Code &, mlir::ValueRange iterators,
                              mlir::ValueRange ins, mlir::ValueRange outs)>;
  llvm::SmallVector<Array> loops(llvm::ArrayRef<Array> ins,
                                 llvm::ArrayRef<Array> outs,
                                 llvm::ArrayRef<Dim> extents,
                                 llvm::ArrayRef<int32_t> kinds, LoopsFn body);
  /// tensor.empty.
  Array undefined(DataType type, llvm::ArrayRef<Dim> shape);

  // --- Moving data.
  Array reshape(Array array, llvm::ArrayRef<Dim> shape);
  Array transpose(Array array, llvm::ArrayRef<int64_t> perm);
  /// `out[.., i, ..] = in[.., start + i * step, ..]`, all in range.
  Array slice(Array array, llvm::ArrayRef<Dim> starts,
              llvm::ArrayRef<Dim> steps, llvm::ArrayRef<Dim> sizes);
  Array concat(llvm::ArrayRef<Array> arrays, int64_t axis);
  /// Constant padding; negative amounts crop.
  Array pad(Array array, llvm::ArrayRef<Dim> before, llvm::ArrayRef<Dim> after,
            Array padValue);
  Array unsqueeze(Array array, int64_t axis);

  // --- Affine maps.
  mlir::AffineExpr d(unsigned i) { return builder.getAffineDimExpr(i); }
  mlir::AffineExpr c(int64_t v) { return builder.getAffineConstantExpr(v); }
  mlir::AffineMap map(unsigned loops, llvm::ArrayRef<mlir::AffineExpr> exprs) {
    return mlir::AffineMap::get(loops, 0, exprs, builder.getContext());
  }

private:
  std::vector<mlir::Operation *> discarded;
  enum class Relation { Same, One, MaybeOne };
  Relation relation(Dim in, Dim out);
  /// Malformed when the numbers among the sizes are negative or overflow.
  bool fits(llvm::ArrayRef<Dim> shape);
  Array materializeKnown(const Array &array);
  mlir::Value literalValue(Literal &literal);
};

} // namespace nestor::onnx

#endif // NESTOR_IMPORT_ONNX_TENSORBUILDER_H
