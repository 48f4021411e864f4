//===- NestOps.td - Loops, blocks, buffers -----------------*- tablegen -*-===//
//
// TensorIR's concepts (Feng et al., ASPLOS'23) with affine domains instead of
// boxes. A kernel is a nest.func; its body is a tree of nest.for and
// nest.block. Blocks are the unit that schedules move: the bindings of a
// block's iterators are the only door through which outer loops enter.
//
//   nest.func @relu(%A: memref<64x32xf32>, %B: memref<64x32xf32>) {
//     nest.for %i = 0 to 64 {
//       nest.for %j = 0 to 32 {
//         nest.block "B" (%vi : spatial = %i to 64, %vj : spatial = %j to 32) {
//           %a = memref.load %A[%vi, %vj] : memref<64x32xf32>
//           ...
//           memref.store %r, %B[%vi, %vj] : memref<64x32xf32>
//         }
//       }
//     }
//   }
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_NEST_NESTOPS
#define NESTOR_DIALECT_NEST_NESTOPS

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Nest_Dialect : Dialect {
  let name = "nest";
  let cppNamespace = "::nestor::nest";
  let summary = "Loop nests of blocks over buffers: the IR that schedules rewrite.";
  let description = [{
    A kernel is a `nest.func`: a tree of `nest.for` and `nest.block`. Blocks are
    the unit that schedules move, and the bindings of a block's iterators are the
    only door through which outer loops enter it. Bodies of blocks are `arith`,
    `math`, `memref.load`, `memref.store` and `scf`.

    ```mlir
    nest.func @negate(%A: memref<64x32xf32>, %B: memref<64x32xf32>) {
      nest.for %i = 0 to 64 {
        nest.for %j = 0 to 32 {
          nest.block "B" (%vi : spatial = %i to 64, %vj : spatial = %j to 32) {
            %a = memref.load %A[%vi, %vj] : memref<64x32xf32>
            %b = arith.negf %a : f32
            memref.store %b, %B[%vi, %vj] : memref<64x32xf32>
          }
        }
      }
    }
    ```

    Sizes stand in affine expressions as `symbol(%n)`, loop variables as `%i`.
    A nest that nobody scheduled means its loops, carried out in order.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::memref::MemRefDialect",
                           "mlir::math::MathDialect", "mlir::scf::SCFDialect"];
}

def Nest_IteratorKind : I32EnumAttr<"IteratorKind", "what a block iterator ranges over", [
    I32EnumAttrCase<"Spatial", 0, "spatial">,
    I32EnumAttrCase<"Reduce", 1, "reduce">,
    I32EnumAttrCase<"Ordered", 2, "ordered">]> {
  let cppNamespace = "::nestor::nest";
}

def Nest_LoopKind : I32EnumAttr<"LoopKind", "how a loop is carried out", [
    I32EnumAttrCase<"Serial", 0, "serial">,
    I32EnumAttrCase<"Parallel", 1, "parallel">,
    I32EnumAttrCase<"Vectorize", 2, "vectorize">,
    I32EnumAttrCase<"Unroll", 3, "unroll">,
    I32EnumAttrCase<"Bind", 4, "bind">]> {
  let cppNamespace = "::nestor::nest";
}

class Nest_Op<string mnemonic, list<Trait> traits = []> : Op<Nest_Dialect, mnemonic, traits>;

def Nest_FuncOp : Nest_Op<"func", [
    FunctionOpInterface, IsolatedFromAbove, AutomaticAllocationScope,
    SingleBlockImplicitTerminator<"YieldOp">, OpAsmOpInterface]> {
  let summary = "A kernel: buffers first, then sizes.";
  let description = [{
    Buffers are contiguous, row-major and never alias. Sizes are `index`
    arguments; every dynamic extent in the function is an affine expression of
    them. `shapes` gives, for each buffer, the map from sizes to its dims; it
    may be left out when all buffers are static. A size argument may carry
    `nest.min`, `nest.max` and `nest.divisor` (i64) as facts. A buffer argument
    with the unit attribute `nest.constant` is a constant of the model at every
    launch: a schedule may choose its layout. The unit attribute `nest.cold` on
    the function says that it runs only when some size is 0.

    ```mlir
    nest.func @scale(%A: memref<?x8xf32>, %B: memref<?x8xf32>, %n: index)
        attributes {shapes = [affine_map<()[s0] -> (s0, 8)>, affine_map<()[s0] -> (s0, 8)>]} { ... }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<AffineMapArrayAttr>:$shapes,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "llvm::StringRef":$name, "mlir::TypeRange":$arguments,
                                 "llvm::ArrayRef<mlir::AffineMap>":$shapes)>];
  let extraClassDeclaration = [{
    mlir::ArrayRef<mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    mlir::ArrayRef<mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    mlir::Region *getCallableRegion() { return &getBody(); }

    /// How many leading arguments are buffers; the rest are sizes.
    unsigned getNumBuffers();
    mlir::ArrayRef<mlir::BlockArgument> getBuffers();
    mlir::ArrayRef<mlir::BlockArgument> getSizes();
    /// The map ()[sizes] -> dims of buffer argument `index`.
    mlir::AffineMap getBufferShape(unsigned index);

  }];
}

def Nest_ForOp : Nest_Op<"for", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    SingleBlockImplicitTerminator<"YieldOp">, OpAsmOpInterface]> {
  let summary = "A loop of step 1 with affine bounds.";
  let description = [{
    The bounds are affine expressions of outer loop variables or iterators of the
    block around (dims) and sizes (symbols); the lower bound is the maximum of its list, the upper bound
    (exclusive) the minimum. `kind` says how the loop is carried out:

    - `serial` (not written): in ascending order;
    - `parallel`: on several threads, in chunks of at least the annotation `grain`
      iterations; parallel loops directly inside each other share their
      iterations, in chunks of the innermost's grain;
    - `vectorize`: the iterations, a constant number, are lanes of vectors;
    - `unroll`: one copy of the body for each iteration, a constant number;
    - `bind`: an axis of a GPU; in order where there is none.

    A kind that cannot be had (lanes that depend on each other, a count that is
    not constant) means `serial`.

    ```mlir
    nest.for %i = 0 to symbol(%n) ceildiv 4 parallel annotate {grain = 4 : i64} {
      nest.for %j = max(%i, 0) to min(%i * 4 + 4, symbol(%n)) { ... }
    }
    ```
  }];
  let arguments = (ins Variadic<Index>:$lowerOperands, Variadic<Index>:$upperOperands,
                       AffineMapAttr:$lowerMap, AffineMapAttr:$upperMap,
                       DefaultValuedAttr<Nest_LoopKind, "LoopKind::Serial">:$kind,
                       OptionalAttr<DictionaryAttr>:$annotations);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    OpBuilder<(ins "int64_t":$lower, "int64_t":$upper, CArg<"LoopKind", "LoopKind::Serial">:$kind)>,
    OpBuilder<(ins "mlir::AffineMap":$lowerMap, "mlir::ValueRange":$lowerOperands,
                   "mlir::AffineMap":$upperMap, "mlir::ValueRange":$upperOperands,
                   CArg<"LoopKind", "LoopKind::Serial">:$kind)>
  ];
  let extraClassDeclaration = [{
    mlir::BlockArgument getInductionVar() { return getBody().getArgument(0); }
    mlir::Block *getBodyBlock() { return &getBody().front(); }
    /// The constant bounds, where they are constants.
    std::optional<int64_t> getConstantLower();
    std::optional<int64_t> getConstantUpper();
    /// The trip count when both bounds are constants (never negative).
    std::optional<int64_t> getConstantTripCount();

    void getAsmBlockArgumentNames(mlir::Region &region, mlir::OpAsmSetValueNameFn setName);
  }];
}

def Nest_BlockOp : Nest_Op<"block", [
    RecursiveMemoryEffects, OpAsmOpInterface]> {
  let summary = "A computation over its own iterators.";
  let description = [{
    Each iterator has a kind, a binding (affine in outer loop variables and
    sizes) and an extent (affine in sizes): its domain is [0, extent). The body
    sees its iterators, buffers and sizes alone. `where` guards the block by
    affine constraints on the outer loops. `init` runs before the body when
    every reduce iterator is 0. So a reduction over nothing runs neither: its
    elements stay what they were, undefined if nobody wrote them, and may not be
    read. Where a sum of nothing must be 0, a block before it writes the 0.

    Spatial: iterations are independent and write disjoint elements. Reduce:
    iterations combine into the same elements with an associative update.
    Ordered: iterations run in ascending order.

    The body holds statements, or a nest: loops, blocks and buffers that see the
    block's iterators where others see outer loops. Then `init` holds a nest,
    too. To everything outside such a block is one instance for each point of
    its iterators; the blocks inside are what computes.

    `predicate` is over the same operands as `bindings`; `domain` uses only its
    symbols. Regions are not stored: Analysis derives them from the body
    (docs/decisions/0001-derived-regions.md).

    ```mlir
    nest.block "C" (%vi : spatial = %i0 * 16 + %i1 to 100, %vk : reduce = %k to 64)
        where (%i0 * -16 - %i1 + 99 >= 0)
      init { memref.store %zero, %C[%vi] : memref<100xf32> } {
        ...
      }
    ```

    A block around a nest, as `blockize` makes it:
    ```mlir
    nest.block "C_o" (%vo : spatial = %io to 4, %wo : reduce = %ko to 8) init {
      nest.for %ii = 0 to 16 {
        nest.block "C_init" (%vi : spatial = %vo * 16 + %ii to 64) { ... }
      }
    } {
      nest.for %ii = 0 to 16 {
        nest.for %ki = 0 to 8 {
          nest.block "C" (%vi : spatial = %vo * 16 + %ii to 64,
                          %vk : reduce = %wo * 8 + %ki to 64) { ... }
        }
      }
    }
    ```
  }];
  let arguments = (ins StrAttr:$name, Variadic<Index>:$loopOperands,
                       DenseI32ArrayAttr:$kinds, AffineMapAttr:$bindings, AffineMapAttr:$domain,
                       OptionalAttr<IntegerSetAttr>:$predicate,
                       OptionalAttr<DictionaryAttr>:$annotations);
  let regions = (region SizedRegion<1>:$body, AnyRegion:$init);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    // `operands`: dims then symbols of `bindings`. Makes an empty body (and init) block.
    OpBuilder<(ins "llvm::StringRef":$name, "llvm::ArrayRef<IteratorKind>":$kinds,
                   "mlir::AffineMap":$bindings, "mlir::AffineMap":$domain,
                   "mlir::ValueRange":$operands, CArg<"bool", "false">:$hasInit)>
  ];
  let extraClassDeclaration = [{
    unsigned getNumIterators() { return getKinds().size(); }
    IteratorKind getIteratorKind(unsigned i) { return static_cast<IteratorKind>(getKinds()[i]); }
    mlir::BlockArgument getIterator(unsigned i) { return getBody().getArgument(i); }
    mlir::AffineExpr getBinding(unsigned i) { return getBindings().getResult(i); }
    /// The extent of iterator `i` when it is a constant.
    std::optional<int64_t> getConstantExtent(unsigned i);
    mlir::Block *getBodyBlock() { return &getBody().front(); }
    mlir::Block *getInitBlock() { return getInit().empty() ? nullptr : &getInit().front(); }
    /// Whether the body is a nest of its own instead of statements.
    bool hasNest();

    void getAsmBlockArgumentNames(mlir::Region &region, mlir::OpAsmSetValueNameFn setName);
  }];
}

def Nest_AllocOp : Nest_Op<"alloc"> {
  let summary = "A buffer of the kernel.";
  let description = [{
    The memory space is its scope: "shared" (default, one a kernel or one a
    worker inside a parallel loop), "register" (elements become SSA values:
    loops that index it must be unrolled or vectorized to get there), "tile" (the
    windows that tile instructions see stay in tile registers while a loop runs,
    and are in memory outside of it). `shape`
    maps sizes to dims. Lives in the innermost loop that holds it, undefined at
    the start of each iteration.

    ```mlir
    %T = nest.alloc : memref<4x16xf32, "register">
    %U = nest.alloc [symbol(%n), 16] : memref<?x16xf32>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, OptionalAttr<AffineMapAttr>:$shape);
  let results = (outs Res<AnyMemRef, "", [MemAlloc]>:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The map ()[sizes] -> dims, also for static types.
    mlir::AffineMap getShapeMap();
    llvm::StringRef getScope();
  }];
}

def Nest_YieldOp : Nest_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Ends a function, a loop or a block.";
  let description = [{
    It stands at the end of each region and is never written: the parser adds it,
    the printer leaves it out.

    ```mlir
    nest.for %i = 0 to 4 {
      ... // nest.yield
    }
    ```
  }];
  let assemblyFormat = "attr-dict";
}

#endif // NESTOR_DIALECT_NEST_NESTOPS
