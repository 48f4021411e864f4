//===- Code.h - A function made ready to run --------------------*- C++ -*-===//
//
// Compiling resolves every SSA value to a cell number and every operation to an
// Inst: a handler and the cells it reads and writes. Structured operations hold
// their regions as nested code. Running walks the lists.
//
// A handler returns false after State::fail; everything above it then returns
// at once.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_INTERP_CODE_H
#define NESTOR_LIB_INTERP_CODE_H

#include "Memory.h"

#include "nestor/Interp/Interp.h"
#include "nestor/Support/Error.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Allocator.h"

#include <memory>
#include <random>
#include <vector>

namespace nestor::interp {

/// One SSA value at run time: a scalar or a buffer.
struct Cell {
  uint64_t bits = 0;
  /// Loaded from an element never written, on its way into another one.
  bool undefined = false;
  ViewRef view;
};

struct State;
struct Inst;
struct Function;
using Handler = bool (*)(State &, const Inst &);

/// What a structured operation keeps besides its cells.
struct Extra {
  virtual ~Extra() = default;
};

struct Inst {
  Handler run = nullptr;
  mlir::Operation *op = nullptr;
  llvm::ArrayRef<uint32_t> in, out;
  Kind inKind = Kind::Index, outKind = Kind::Index;
  int64_t number = 0;
  std::unique_ptr<Extra> extra;

  template <typename T>
  T &as() const {
    return static_cast<T &>(*extra);
  }
};

using Code = std::vector<Inst>;

/// A region of one block: its arguments, its code, what its terminator yields.
struct RegionCode {
  llvm::ArrayRef<uint32_t> args, yields;
  Code code;
};

/// An affine expression over cells: a sum where it is linear, a tree where not.
struct Affine {
  int64_t constant = 0;
  llvm::SmallVector<std::pair<uint32_t, int64_t>, 4> terms;
  /// Not null: the expression has floordiv, ceildiv or mod; `dims` then
  /// `symbols` are its operands' cells.
  mlir::AffineExpr tree;
  llvm::SmallVector<uint32_t, 4> dims, symbols;
};

struct Function {
  std::string name;
  mlir::Operation *op = nullptr;
  /// Cells at entry: constants in place.
  std::vector<Cell> image;
  RegionCode body;
  llvm::BumpPtrAllocator lists;
};

/// The compiled functions of a module and what they need.
struct Program {
  mlir::ModuleOp module;
  const ConstantPool *pool = nullptr;
  InterpOptions options;
  llvm::StringMap<std::unique_ptr<Function>> functions;

  llvm::Expected<Function *> get(llvm::StringRef name);
};

/// A run.
struct State {
  Program &program;
  Cell *cells = nullptr;
  uint64_t steps = 0;
  unsigned depth = 0;
  /// The block or kernel that runs, for messages.
  std::string place;
  std::optional<std::pair<ErrorKind, std::string>> error;
  std::mt19937_64 random;

  // Parallel loops (see Nests.cpp): stamps of the running iteration and of the
  // first one of the loop; 0 outside.
  uint32_t stamp = 0, firstStamp = 0, lastStamp = 0;
  /// The innermost block that runs and a number for its spatial point (see
  /// runBlock); null and 0 outside, and when contracts are not checked.
  mlir::Operation *block = nullptr;
  uint64_t point = 0;
  /// Tags of arena slices by (operation, offset).
  llvm::DenseMap<std::pair<mlir::Operation *, uint64_t>, uint16_t> sliceTags;

  explicit State(Program &program)
      : program(program), random(program.options.shuffleSeed) {}

  bool fail(const Inst &inst, ErrorKind kind, const llvm::Twine &message);
  /// A program that does what it must not do.
  bool broken(const Inst &inst, const llvm::Twine &message) {
    return fail(inst, ErrorKind::Internal, message);
  }

  uint64_t &bits(uint32_t cell) { return cells[cell].bits; }
  int64_t index(uint32_t cell) {
    return static_cast<int64_t>(cells[cell].bits);
  }
  View &view(uint32_t cell) { return *cells[cell].view; }
};

inline bool runCode(State &state, const Code &code) {
  state.steps += code.size();
  for (const Inst &inst : code)
    if (!inst.run(state, inst))
      return false;
  return true;
}

/// Counts an iteration and stops runaway programs.
inline bool checkSteps(State &state, const Inst &inst) {
  ++state.steps;
  uint64_t limit = state.program.options.maxSteps;
  if (limit != 0 && state.steps > limit)
    return state.fail(inst, ErrorKind::Budget,
                      "more than " + llvm::Twine(limit) + " steps");
  return true;
}

/// Moves values between cells as if all at once.
void moveCells(State &state, llvm::ArrayRef<uint32_t> from,
               llvm::ArrayRef<uint32_t> to);

/// Runs `function` in a frame of its own.
bool callFunction(State &state, const Inst &at, Function &function,
                  llvm::ArrayRef<Cell> args,
                  llvm::SmallVectorImpl<Cell> &results);

/// The value of `expr`; false when it divides by what is not positive.
bool evaluate(State &state, const Inst &inst, const Affine &expr,
              int64_t &value);

/// A new buffer of `type` with the dynamic dims taken from `dims`.
ViewRef makeBuffer(State &state, const Inst &inst, mlir::ShapedType type,
                   llvm::ArrayRef<int64_t> dims);
/// The dims of `type` with dynamic ones from `dims`, in order; false if one is
/// negative or the buffer would be too large.
bool resolveDims(State &state, const Inst &inst, mlir::ShapedType type,
                 llvm::ArrayRef<int64_t> dynamic,
                 llvm::SmallVectorImpl<int64_t> &dims);
/// A copy with bytes and tags of its own.
ViewRef copyView(const View &view);

/// Reads or writes one element with every check.
bool readChecked(State &state, const Inst &inst, const View &view,
                 int64_t linear, uint64_t &cell);
bool writeChecked(State &state, const Inst &inst, View &view, int64_t linear,
                  uint64_t cell);
/// The row-major number of the element that `indices` name.
bool flatten(State &state, const Inst &inst, const View &view,
             llvm::ArrayRef<uint32_t> indices, int64_t &linear);

/// Why buffer `buffer` of `kernel` may not have `dims`; empty when it may.
std::string kernelDimsProblem(nest::FuncOp kernel, unsigned buffer,
                              llvm::ArrayRef<int64_t> dims,
                              llvm::ArrayRef<int64_t> sizes);

/// Compiles one function.
class Compiler {
public:
  Compiler(Program &program, Function &function)
      : program(program), function(function) {}

  llvm::Error compile();

  using Builder = llvm::Error (*)(Compiler &, mlir::Operation *, Inst &);

  uint32_t cell(mlir::Value value);
  llvm::ArrayRef<uint32_t> cells(mlir::ValueRange values);
  uint32_t newCell();
  llvm::ArrayRef<uint32_t> list(llvm::ArrayRef<uint32_t> values);
  llvm::Error region(mlir::Region &region, RegionCode &code);
  llvm::Expected<Affine> affine(mlir::AffineExpr expr,
                                llvm::ArrayRef<uint32_t> dims,
                                llvm::ArrayRef<uint32_t> symbols);
  Cell &initial(uint32_t cell) { return function.image[cell]; }

  static llvm::Error unsupported(mlir::Operation *op, const llvm::Twine &why);

  Program &program;
  Function &function;
  /// The counters of the linalg operations around what is being compiled.
  llvm::SmallVector<llvm::ArrayRef<uint32_t>, 2> loopCounters;

private:
  llvm::Error block(mlir::Block &block, Code &code);

  llvm::DenseMap<mlir::Value, uint32_t> numbers;
};

/// What Compiler does for an operation by its name: a handler for plain ones, a
/// builder for those with regions or attributes.
struct Entry {
  Handler run = nullptr;
  Compiler::Builder build = nullptr;
};
using Table = llvm::StringMap<Entry>;

void addArith(Table &table);
void addMath(Table &table);
void addControl(Table &table);
void addTensor(Table &table);
void addTensorShapes(Table &table);
void addModel(Table &table);
void addStructured(Table &table);
void addMemRef(Table &table);
void addNest(Table &table);
void addHost(Table &table);
/// Structured linalg operations have one builder, found by interface.
llvm::Error buildLinalg(Compiler &compiler, mlir::Operation *op, Inst &inst);

/// "at file:line" or nothing.
std::string whereText(mlir::Operation *op);

} // namespace nestor::interp

#endif // NESTOR_LIB_INTERP_CODE_H
