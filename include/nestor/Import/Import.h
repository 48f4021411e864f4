//===- Import.h - Foreign models to tensor programs -------------*- C++ -*-===//
//
// `importOnnx` turns a model file into one `func.func @main` over tensors:
// linalg.generic, tensor, scf and model operators
// (docs/design/tensor-level.md).
//
// Leaves true: every input's names and dims are attributes of the function's
// arguments (`model.name`, `model.dtype`, `model.dims`), every output's name
// and element type attributes of its results; weights are in the pool.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_IMPORT_H
#define NESTOR_IMPORT_IMPORT_H

#include "nestor/Import/ONNX/DataType.h"
#include "nestor/Support/ConstantPool.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace nestor {

/// An input whose value is known when the model is compiled.
struct KnownInput {
  onnx::DataType type = onnx::DataType::Undefined;
  llvm::SmallVector<int64_t> dims;
  /// Row-major, little-endian; alive during the import.
  llvm::ArrayRef<uint8_t> bytes;
};

struct ImportOptions {
  /// Values for named dimensions (`batch` -> 4).
  llvm::StringMap<int64_t> symbols;
  /// Whole shapes for inputs; -1 leaves a dimension as the model has it.
  llvm::StringMap<llvm::SmallVector<int64_t>> shapes;
  /// Inputs to replace by constants; they leave the signature.
  llvm::StringMap<KnownInput> known;
};

/// Registers and loads the dialects that imported modules are made of.
void loadImportDialects(mlir::MLIRContext &context);

/// Imports the ONNX model at `path`; weights go to `pool`, which keeps the
/// mapped files alive.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(llvm::StringRef path, const ImportOptions &options,
           mlir::MLIRContext &context, ConstantPool &pool);

/// The same from bytes that outlive the pool; external data is looked for
/// beneath `directory`.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(llvm::ArrayRef<uint8_t> bytes, llvm::StringRef directory,
           const ImportOptions &options, mlir::MLIRContext &context,
           ConstantPool &pool);

} // namespace nestor

#endif // NESTOR_IMPORT_IMPORT_H
