//===- Intrin.h - Tensor instructions as records ----------------*- C++ -*-===//
//
// One record per form of an instruction family: what it means (a nest), how its
// operands lie, how it is spelled, what it costs. Three customers read it:
// tensorize matches it, Lower emits it, cost models price it. Adding a family
// is one file lib/Intrin/<Vendor>/<Family>.cpp and one line in Families.h.
//
// The shape of a record. All of them so far are contractions over axes m, n
// (spatial) and k (reduce), in that order, m x n x k points an instance:
//
//   acc[m, n] += extend(lhs[m, k]) * extend(rhs[k, n])
//
// "x86.vpdpbusd.512": axes m 1, n 16, k 4
//   lhs  u8   lies as (k)    of 4       memory, one copy for all n (broadcast)
//   rhs  s8   lies as (n, k) of 16 x 4  memory, 64 bytes side by side
//   acc  s32  lies as (n)    of 16      a register, carried through the k loop
//
// "x86.amx.tdpbusd": axes m 16, n 16, k 64
//   lhs  u8   lies as (m, k)                       of 16 x 64,     row stride
//   free rhs  s8   lies as (k floordiv 4, n, k mod 4)   of 16 x 16 x 4, row
//   stride free acc  s32  lies as (m, n)                       of 16 x 16, row
//   stride free
//
// How an operand lies. Its element at the axes' point p is found at the element
// offset
//
//   sum over d < freeDims of stride[d] * lies(p)[d]
//     + row-major offset of lies(p)[freeDims...] in shape[freeDims...]
//
// from its window's base: the leading `freeDims` dims may have any stride, what
// is inside lies side by side. `lies` covers `shape` exactly once while the
// axes that the operand has run over their extents.
//
// How lowering uses it, for a block tensorized with R x C instances side by
// side (a macro-tile: R along m, C along n):
//
//   acc[r][c] = record.zero() or record.load(acc operand, window)
//   scf.for k (acc carried as iter_args, their type is valueType(acc operand)):
//     for c: b[c] = record.load(rhs, window of column c)  // for all rows
//     for r: a = record.load(lhs, window of row r)        // for all columns
//       for c: acc[r][c] = record.compute(a, b[c], acc[r][c])
//
// The shorter side is loaded first and stays in registers, the longer one
// passes by: with more columns than rows it is the other way round.
//
//   record.store(acc[r][c], window), or, where accIsVector(), a fused epilogue
//   on the values first: lane i of the vector is the point that lies at i.
//
// Everything a record emits is vector, arith, math, llvm.load/llvm.store and
// device operations; lowerDevice (Lower/Device.h) then writes the device
// operations as the target's instructions or, where it lacks them, as plain
// code that computes the same. So each record runs on every machine.
//
// Tails. Every axis says what happens where fewer points than its extent are
// left. Pad: the operands must be padded with zeros (packing does it). Mask:
// the window names how many lanes are there (a value, may be dynamic); a load
// gives 0 for the others, a store leaves them alone. Shrink: extents of the
// window may be smaller (constants), the instance is smaller then.
//
// Packing. packing() says how a whole operand is laid out so that every window
// is one run of memory and consecutive instances follow each other.
//
// Assumes: little-endian elements, no alignment but the element's.
// Leaves true: what test/Unit/Intrin checks of every record: the maps cover
// their shapes once; the emitted code computes what the semantics say, exactly
// for integers and Numerics::Fused, within rounding for Numerics::Grouped.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_INTRIN_INTRIN_H
#define NESTOR_INTRIN_INTRIN_H

#include "nestor/Target/Target.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nestor::intrin {

/// Element types, with the signedness that the operation gives them (integers
/// of the IR have none: the block's extsi or extui says it).
enum class Element : uint8_t { S8, U8, S16, S32, F16, BF16, F32, F64 };

unsigned bitsOf(Element element);
bool isFloat(Element element);
bool isSigned(Element element);
/// The type in the IR: i8 for S8 and U8.
mlir::Type typeOf(Element element, mlir::MLIRContext *context);
/// "s8", "bf16".
llvm::StringRef nameOf(Element element);

enum class AxisKind : uint8_t { Spatial, Reduce };

/// What becomes of the points that an instance has too many.
enum class Tail : uint8_t { Pad, Mask, Shrink };

struct Axis {
  llvm::StringRef name;
  AxisKind kind;
  int64_t extent;
  Tail tail = Tail::Pad;
  /// Shrink: the extent stays a multiple of this.
  int64_t multiple = 1;
};

/// The axes of every record.
enum AxisIndex : unsigned { kM = 0, kN = 1, kK = 2 };
/// The operands of every record, in the order of the semantics' arguments.
enum OperandIndex : unsigned { kLhs = 0, kRhs = 1, kAcc = 2 };

/// Where the value of an operand lives between its load and its use.
enum class Place : uint8_t {
  /// A vector register with one lane a point.
  Register,
  /// A vector register that repeats the operand's few elements: the load is a
  /// broadcast from memory.
  Broadcast,
  /// A tile register.
  Tile,
};

struct Operand {
  llvm::StringRef name;
  Element element;
  Place place;
  /// The axes that index it in the semantics: {kM, kK}.
  llvm::SmallVector<unsigned, 2> axes;
  /// (m, n, k) -> where the element lies: "(m, n, k) -> (n, k)".
  std::string lies;
  /// Of what `lies` counts.
  llvm::SmallVector<int64_t, 4> shape;
  /// How many leading dims of `shape` may have any stride.
  unsigned freeDims = 0;

  bool has(unsigned axis) const { return llvm::is_contained(axes, axis); }
  /// (m, n, k) -> (m, k).
  mlir::AffineMap accessMap(mlir::MLIRContext *context) const;
  mlir::AffineMap liesMap(mlir::MLIRContext *context) const;
  int64_t bytes() const;
};

/// How results relate to the semantics.
enum class Numerics : uint8_t {
  /// Integers modulo 2^32: any order gives the same bits.
  Exact,
  /// One fused multiply-add a point, k ascending: bit for bit the semantics.
  Fused,
  /// The architecture's own grouping, rounding and flushing of denormals.
  Grouped,
};

/// Who carries an instance out. Threads of a CPU for now.
enum class Scope : uint8_t { Thread };

/// R x C instances that share their loads.
struct MacroTile {
  int64_t rows = 1, columns = 1;
  /// Registers that it keeps alive, of the kind of the accumulator's.
  unsigned registers = 0;
};

struct Cost {
  /// Multiply-adds a cycle, relative to f32 FMAs of the target's widest vector:
  /// the target's rate (none: 1) times `factor`.
  double Rates::*rate = nullptr;
  double factor = 1;
  /// Cycles until a dependent instance may start.
  unsigned latency = 4;
  /// A feature whose instructions the target's rate is for where it has it;
  /// these then reach half of it.
  llvm::StringRef halvedBy = "";
};

/// A window onto an operand in memory.
struct Window {
  /// !llvm.ptr to the element at point 0.
  mlir::Value base;
  /// i64 element strides of the operand's free dims.
  llvm::SmallVector<mlir::Value, 2> strides;
  /// Extents of all axes; empty: the record's. Only Shrink axes may differ.
  llvm::SmallVector<int64_t, 3> extents;
  /// How many points of the Mask axis are there (index); null: all.
  mlir::Value lanes;
};

struct Record;

/// How a family is spelled. Values have the types of valueType().
struct Emitter {
  mlir::Type (*valueType)(const Record &, unsigned operand,
                          llvm::ArrayRef<int64_t> extents, mlir::MLIRContext *);
  mlir::Value (*zero)(const Record &, mlir::OpBuilder &, mlir::Location,
                      llvm::ArrayRef<int64_t> extents);
  mlir::Value (*load)(const Record &, mlir::OpBuilder &, mlir::Location,
                      unsigned operand, const Window &);
  mlir::Value (*compute)(const Record &, mlir::OpBuilder &, mlir::Location,
                         mlir::Value lhs, mlir::Value rhs, mlir::Value acc);
  void (*store)(const Record &, mlir::OpBuilder &, mlir::Location,
                mlir::Value acc, const Window &);
};

struct Record {
  /// "x86.vpdpbusd.512": unique.
  std::string name;
  Arch arch = Arch::X86_64;
  /// What the target must have: feature names joined by ',' ; alternatives by
  /// '|': "avx512vnni,avx512vl|avxvnni".
  std::string features;
  /// Text that the assembly of the real lowering contains.
  std::string mnemonic;
  /// Width of the registers of Place::Register, in bits; 0: tiles only.
  unsigned vectorBits = 0;
  llvm::SmallVector<Axis, 3> axes;
  llvm::SmallVector<Operand, 3> operands;
  Numerics numerics = Numerics::Exact;
  Scope scope = Scope::Thread;
  /// Worth trying, best first.
  std::vector<MacroTile> macroTiles;
  Cost cost;
  const Emitter *emitter = nullptr;

  const Operand &lhs() const { return operands[kLhs]; }
  const Operand &rhs() const { return operands[kRhs]; }
  const Operand &acc() const { return operands[kAcc]; }
  /// Multiply-adds of one instance.
  int64_t points() const;
  llvm::SmallVector<int64_t, 3> extents() const;
  /// Registers of the kind that holds accumulators, on `target`.
  unsigned registers(const Target &target) const;
  /// Whether accumulators are vectors, so that an epilogue can use them as they
  /// are; those in tiles have to go through memory.
  bool accIsVector() const { return acc().place == Place::Register; }

  /// Whether code for `target` may use the real lowering.
  bool availableOn(const Target &target) const;
  /// Multiply-adds a cycle on `target`, issue bound.
  double macsPerCycle(const Target &target) const;

  /// What one instance computes: `nest.func @NAME(%lhs, %rhs, %acc)` over
  /// memrefs in the operands' own indices, one loop an axis, one block "acc".
  /// It adds to what %acc holds.
  std::string semantics() const;

  /// The layout of the whole operand: its indices in the semantics, of the
  /// whole matrix, -> (block of `copies` instances, block of k, instance,
  /// shape); for acc: (block of m, block of n, shape).
  mlir::AffineMap packing(unsigned operand, int64_t copies,
                          mlir::MLIRContext *context) const;

  /// The strides of the free dims if memory whose element at a point (m, n, k)
  /// is offset(point) elements behind the base can be a window of `operand`;
  /// none if not. Axes that the operand has not stay 0; free dims of extent 1
  /// get stride 0.
  std::optional<llvm::SmallVector<int64_t, 2>> windowStrides(
      unsigned operand, mlir::MLIRContext *context,
      llvm::function_ref<int64_t(llvm::ArrayRef<int64_t>)> offset) const;

  // What lowering calls; see the comment at the top. All insert at the
  // builder's place.
  mlir::Type valueType(unsigned operand, mlir::MLIRContext *context,
                       llvm::ArrayRef<int64_t> extents = {}) const;
  mlir::Value zero(mlir::OpBuilder &builder, mlir::Location loc,
                   llvm::ArrayRef<int64_t> extents = {}) const;
  mlir::Value load(mlir::OpBuilder &builder, mlir::Location loc,
                   unsigned operand, const Window &window) const;
  mlir::Value compute(mlir::OpBuilder &builder, mlir::Location loc,
                      mlir::Value lhs, mlir::Value rhs, mlir::Value acc) const;
  void store(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value acc,
             const Window &window) const;
};

/// All records, by family; the same order in every run.
llvm::ArrayRef<Record> records();
/// The record of that name, or null.
const Record *find(llvm::StringRef name);
/// Records that `target` has, fastest first (ties in table order).
std::vector<const Record *> available(const Target &target);

/// The dialects that records make operations of.
void registerDialects(mlir::DialectRegistry &registry);

/// Whether `target` has what "a,b|c" asks for.
bool hasFeatures(const Target &target, llvm::StringRef features);

} // namespace nestor::intrin

#endif // NESTOR_INTRIN_INTRIN_H
