//===- ModelOps.td - Operators that linalg cannot say ------*- tablegen -*-===//
//
// The tensor level is linalg.generic plus these few operators. `model.loops` is
// the general one: an ordered or irregular computation (TopK, CumSum, Scatter,
// NonZero, ...) written as the body of one block, which Partition turns into a
// nest and Interp runs literally.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_DIALECT_MODEL_MODELOPS
#define NESTOR_DIALECT_MODEL_MODELOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Model_Dialect : Dialect {
  let name = "model";
  let cppNamespace = "::nestor::model";
  let summary = "Tensor operators that linalg cannot say, and constants by name.";
  let description = [{
    A tensor program is a `func.func` of `linalg.generic`, `tensor`, `scf`,
    `arith` on sizes, and these few operators. Partition turns each into kernels
    or parts of the host program.
  }];
  let dependentDialects = ["mlir::arith::ArithDialect", "mlir::memref::MemRefDialect",
                           "mlir::tensor::TensorDialect"];
}

class Model_Op<string mnemonic, list<Trait> traits = []> : Op<Model_Dialect, mnemonic, traits>;

def Model_ConstantOp : Model_Op<"constant", [Pure]> {
  let summary = "A constant tensor named by its key in the ConstantPool.";
  let description = [{
    The bytes stay outside the IR. Equal keys mean equal bytes.

    ```mlir
    %w = model.constant "c0f3a_400" : tensor<128x64xf32>
    ```
  }];
  let arguments = (ins StrAttr:$key);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "$key attr-dict `:` type($result)";
}

def Model_ReshapeOp : Model_Op<"reshape", [Pure]> {
  let summary = "The same elements in row-major order under other dims.";
  let description = [{
    `dims` are the dynamic dims of the result type, in order. The number of
    elements must be the same (a run-time fact where it cannot be seen).
    No data moves: Partition makes it a view.

    ```mlir
    %b = model.reshape %a [%n] : tensor<?x4x4xf32> -> tensor<?x16xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<Index>:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source (`[` $dims^ `]`)? attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Model_CheckOp : Model_Op<"check", [MemoryEffects<[MemWrite]>]> {
  let summary = "A condition on sizes or scalars that must hold at run time.";
  let description = [{
    When it does not hold the run ends with status 8 and this message.

    ```mlir
    model.check %same, "Add node 'sum': dims 3 and 4 do not broadcast"
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

def Model_LoopsOp : Model_Op<"loops", [AttrSizedOperandSegments, RecursiveMemoryEffects]> {
  let summary = "A loop nest with ordered iterators over whole tensors.";
  let description = [{
    Destination style: each result is the final value of one `outs` tensor.
    `iterators` gives each loop's kind (0 spatial: any order, iterations write
    disjoint elements; 2 ordered: ascending, may read what earlier iterations
    wrote), `extents` each loop's trip count. The region takes the iterators,
    then a memref for every input (read only), then one for every output
    (starts as the `outs` value; a `tensor.empty` starts undefined). The body
    is arith, math, memref.load/store, memref.dim, scf.for/if/while and
    cf.assert; it ends with model.yield and may also use `index` and scalar
    values from outside. Iterations run in lexicographic order.

    A prefix sum:
    ```mlir
    %r = model.loops ins(%x : tensor<4x?xf32>) outs(%e : tensor<4x?xf32>)
           extents(%c4, %n) iterators [0, 2] {
    ^bb0(%i: index, %j: index, %X: memref<4x?xf32>, %R: memref<4x?xf32>):
      %x0 = memref.load %X[%i, %j] : memref<4x?xf32>
      %isFirst = arith.cmpi eq, %j, %c0 : index
      %sum = scf.if %isFirst -> f32 {
        scf.yield %x0 : f32
      } else {
        %before = arith.subi %j, %c1 : index
        %s = memref.load %R[%i, %before] : memref<4x?xf32>
        %next = arith.addf %s, %x0 : f32
        scf.yield %next : f32
      }
      memref.store %sum, %R[%i, %j] : memref<4x?xf32>
      model.yield
    } -> tensor<4x?xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, Variadic<AnyRankedTensor>:$outputs,
                       Variadic<Index>:$extents, DenseI32ArrayAttr:$iterators);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` ($inputs^ `:` type($inputs))? `)` `outs` `(` $outputs `:` type($outputs) `)`
    `extents` `(` $extents `)` `iterators` $iterators attr-dict-with-keyword $body `->` type($results)
  }];
  let hasVerifier = 1;
  let builders = [
    OpBuilder<(ins "mlir::ValueRange":$inputs, "mlir::ValueRange":$outputs,
                   "mlir::ValueRange":$extents, "llvm::ArrayRef<int32_t>":$iterators,
                   "llvm::function_ref<void(mlir::OpBuilder &, mlir::Location, mlir::ValueRange, mlir::ValueRange, mlir::ValueRange)>":$body)>
  ];
}

def Model_YieldOp : Model_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"LoopsOp">]> {
  let summary = "Ends the body of model.loops.";
  let description = [{
    It yields nothing: results are what the body stored into the memrefs of the
    outputs.

    ```mlir
    memref.store %sum, %R[%i, %j] : memref<4x?xf32>
    model.yield
    ```
  }];
  let assemblyFormat = "attr-dict";
}

#endif // NESTOR_DIALECT_MODEL_MODELOPS
