//===- KernelEmitter.h - One kernel to plain code ---------------*- C++ -*-===//
//
// Emits a nest.func, scheduled or not, as an llvm.func over bare pointers:
//
//   nest.func @k(%A: memref<?x8xf32>, %n: index)
//   ==> llvm.func @k(%call: !llvm.ptr, %A: !llvm.ptr {noalias}, %n: i64) -> i32
//
// Loops become scf.for (serial), repeated bodies (unroll), vector code
// (vectorize) or an outlined function called through parallel_for (parallel;
// parallel loops directly inside each other share one call over all their
// iterations).
// It takes no decision: a kind that cannot be carried out (a vectorize loop
// without constant extent, or one whose lanes depend on each other) runs
// serially, which is always correct.
//
// Split over KernelEmitter.cpp (functions, loops, buffers), ParallelEmitter.cpp
// (parallel loops), BlockEmitter.cpp (blocks and their bodies), Tensorized.cpp
// (blocks that are one instruction), MemoryEmitter.cpp (loads and stores).
// StoragePlan.cpp says which buffers share memory, Registers.cpp makes values
// of register buffers.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_LIB_LOWER_KERNELEMITTER_H
#define NESTOR_LIB_LOWER_KERNELEMITTER_H

#include "LinearIndex.h"
#include "StoragePlan.h"

#include "nestor/Dialect/Nest/Nest.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <memory>

namespace nestor::analysis {
struct Access;
class AffineSpace;
} // namespace nestor::analysis

namespace nestor::lower {

class KernelEmitter {
public:
  KernelEmitter(nest::FuncOp kernel, mlir::ModuleOp target);

  /// Emits the kernel's function(s) into the target module.
  mlir::LogicalResult emit();

  /// Only declares the kernel's function there.
  void declare();

private:
  /// Where a buffer lives and the map from its sizes to its dims.
  struct Buffer {
    mlir::Value pointer;
    mlir::MemRefType type;
    llvm::SmallVector<LinearIndex> dims; // constants, or uniform indices
    llvm::SmallVector<int64_t> padding;  // of each dim's stride; empty: none
  };

  /// How the code at hand is being emitted; saved around nested scopes.
  struct Mode {
    int64_t lanes = 0; // > 0 inside a vectorize loop
    mlir::Value mask;  // vector<lanes x i1> or null: all lanes active
    bool insideParallel = false;
    int depth = 0; // serial loops around the insertion point
  };

  // --- functions, loops, buffers (KernelEmitter.cpp)
  mlir::LLVM::LLVMFuncOp createFunction(llvm::StringRef name,
                                        llvm::ArrayRef<mlir::Type> arguments);
  llvm::SmallVector<mlir::Type> signature();
  mlir::LogicalResult emitRegion(mlir::Block &block);
  mlir::LogicalResult emitLoop(nest::ForOp loop);
  mlir::LogicalResult emitSerial(nest::ForOp loop);
  mlir::LogicalResult emitUnrolled(nest::ForOp loop, int64_t lower,
                                   int64_t count);
  mlir::LogicalResult emitVectorized(nest::ForOp loop, int64_t lower,
                                     int64_t count);
  mlir::LogicalResult emitParallel(nest::ForOp loop);
  mlir::Value grainOf(llvm::ArrayRef<nest::ForOp> band);
  void emitAlloc(nest::AllocOp alloc);
  Buffer shapeOf(nest::AllocOp alloc);
  mlir::Value stackSlot(nest::AllocOp alloc);
  mlir::Value scratch(nest::AllocOp alloc);
  LinearIndex bound(mlir::AffineMap map, mlir::ValueRange operands, bool upper);
  LinearIndex evaluate(mlir::AffineExpr expr, unsigned numDims,
                       mlir::ValueRange operands);
  LinearIndex divide(mlir::AffineExprKind kind, const LinearIndex &lhs,
                     const LinearIndex &rhs);
  LinearIndex divideRest(mlir::AffineExprKind kind, const LinearIndex &lhs,
                         int64_t divisor);
  // --- requests for what later iterations read (PrefetchEmitter.cpp)
  void emitPrefetches(nest::ForOp loop);
  void prefetchBox(const analysis::Access &access, nest::BlockOp block,
                   nest::ForOp loop, analysis::AffineSpace &space);
  mlir::LogicalResult finishFunction();
  void returnEarlyIf(mlir::Value status);

  // --- blocks (BlockEmitter.cpp)
  mlir::LogicalResult emitBlock(nest::BlockOp block);
  mlir::LogicalResult emitBody(mlir::Block &body);
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitIf(mlir::scf::IfOp op);
  mlir::LogicalResult emitStructured(mlir::Operation *op);
  mlir::LogicalResult emitAssert(mlir::Operation *op);
  bool emitLinear(mlir::Operation *op);
  std::optional<LinearIndex> linearResult(mlir::Operation *op);
  mlir::Value condition(const LinearIndex &index, bool equal);
  /// The index as a value: a scalar, or a vector where lanes differ.
  mlir::Value valueOf(const LinearIndex &index);
  /// Runs `body` when the constraints hold: not at all, under scf.if, or
  /// under a mask.
  mlir::LogicalResult guarded(nest::BlockOp block,
                              llvm::function_ref<mlir::LogicalResult()> body);

  // --- blocks that are one instruction (Tensorized.cpp)
  struct Tensorized;
  /// What instruction a block is; null for none.
  const Tensorized *tensorized(nest::BlockOp block);
  mlir::LogicalResult emitTensorized(const Tensorized &instance);
  llvm::SmallVector<mlir::Value>
  windowStrides(const Buffer &buffer,
                llvm::ArrayRef<llvm::SmallVector<int64_t>> steps);

  // --- memory (MemoryEmitter.cpp)
  mlir::LogicalResult emitLoad(mlir::memref::LoadOp op);
  mlir::LogicalResult emitStore(mlir::memref::StoreOp op);
  bool emitLaneReduction(mlir::memref::StoreOp op);
  /// Whether the buffer is one that promoteToValues will look at.
  bool isInRegisters(const Buffer &buffer);
  /// The linear element offset of an access; nullopt when an index is only
  /// known as a vector of lanes.
  std::optional<LinearIndex> elementOffset(const Buffer &buffer,
                                           mlir::ValueRange indices);
  /// The stride of dim `d - 1` from that of dim `d`; for dim 0 the buffer's
  /// number of elements.
  LinearIndex outerStride(const Buffer &buffer, int64_t d,
                          const LinearIndex &stride);
  mlir::Value pointerTo(const Buffer &buffer, const LinearIndex &offset);
  mlir::Value lanePointers(const Buffer &buffer, mlir::ValueRange indices);
  LinearIndex times(const LinearIndex &index, const LinearIndex &stride);

  // --- values
  /// What a value of the nest is in the code being emitted: a scalar, or a
  /// vector of lanes. Index values that are linear are made on demand.
  mlir::Value value(mlir::Value nestValue);
  mlir::Value vectorValue(mlir::Value nestValue);
  mlir::Value broadcast(mlir::Value scalar);
  std::optional<LinearIndex> linear(mlir::Value nestValue);
  mlir::Value laneNumbers();
  bool isVector(mlir::Value emitted) {
    return mlir::isa<mlir::VectorType>(emitted.getType());
  }
  mlir::Type elementStorage(mlir::Type element);
  mlir::Type vectorOf(mlir::Type element) {
    return mlir::VectorType::get({mode.lanes}, element);
  }

  nest::FuncOp kernel;
  StoragePlan plan;
  mlir::ModuleOp target;
  mlir::OpBuilder builder;
  mlir::Location loc;
  mlir::Type pointerType;

  mlir::LLVM::LLVMFuncOp function; // being emitted
  mlir::Value call;                // nst_call *
  mlir::Value status; // alloca of the i32 that the function returns
  Mode mode;
  int numParallel = 0;
  /// Allocations of scratch that may have failed, of all functions at hand.
  llvm::SmallVector<mlir::LLVM::ICmpOp> allocationChecks;
  /// Slots of register buffers with the element's type, of all functions at
  /// hand; finishFunction makes values of them.
  llvm::SmallVector<std::pair<mlir::LLVM::AllocaOp, mlir::Type>> registers;
  /// Slots of tile buffers, likewise.
  llvm::SmallVector<mlir::LLVM::AllocaOp> tiles;
  /// The instructions that blocks are; asked once.
  llvm::DenseMap<mlir::Operation *, std::shared_ptr<const Tensorized>>
      instances;
  /// Scratch, by function and memory of the plan.
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, mlir::Value> memories;

  /// Divisions of what varies over lanes, for other digits of the same index.
  struct Division {
    LinearIndex dividend;
    int64_t divisor;
    mlir::Value quotient;
  };
  llvm::SmallVector<Division> divisions;

  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Value, LinearIndex> linears;
  llvm::DenseMap<mlir::Value, mlir::Value> values;
};

/// Whether every block under `loop` can run as one vector operation a
/// statement, lanes being iterations of `loop` (Vectorizable.cpp).
bool canVectorize(nest::ForOp loop);

/// The reduction `load addr; x = op load, v; store x, addr` that `store` ends:
/// its combining operation, with the operand that is the load.
struct Accumulation {
  mlir::Operation *combine = nullptr;
  mlir::memref::LoadOp load;
  mlir::Value addend;
};
std::optional<Accumulation> matchAccumulation(mlir::memref::StoreOp store);

/// Whether lanes can be combined with `combine` (MemoryEmitter.cpp).
bool canCombineLanes(mlir::Operation *combine);

} // namespace nestor::lower

#endif // NESTOR_LIB_LOWER_KERNELEMITTER_H
