//===- DataType.h - Element types of ONNX tensors ---------------*- C++ -*-===//
//
// The numbers of TensorProto.DataType with their names and sizes.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_ONNX_DATATYPE_H
#define NESTOR_IMPORT_ONNX_DATATYPE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace nestor::onnx {

/// TensorProto.DataType.
enum class DataType : int32_t {
  Undefined = 0,
  Float = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Double = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
};

/// The name that people read ("float32", "uint8", ...).
llvm::StringRef dataTypeName(DataType type);

/// Bits an element takes in raw_data; 0 for strings and unknown types.
unsigned dataTypeBits(DataType type);

inline bool isUnsigned(DataType type) {
  return type == DataType::UInt8 || type == DataType::UInt16 ||
         type == DataType::UInt32 || type == DataType::UInt64 ||
         type == DataType::UInt4 || type == DataType::UInt2 ||
         type == DataType::Bool;
}

inline bool isFloat(DataType type) {
  switch (type) {
  case DataType::Float:
  case DataType::Float16:
  case DataType::Double:
  case DataType::BFloat16:
  case DataType::Float8E4M3FN:
  case DataType::Float8E4M3FNUZ:
  case DataType::Float8E5M2:
  case DataType::Float8E5M2FNUZ:
  case DataType::Float4E2M1:
  case DataType::Float8E8M0:
    return true;
  default:
    return false;
  }
}

/// An integer type, bool excluded.
inline bool isInteger(DataType type) {
  switch (type) {
  case DataType::UInt8:
  case DataType::Int8:
  case DataType::UInt16:
  case DataType::Int16:
  case DataType::Int32:
  case DataType::Int64:
  case DataType::UInt32:
  case DataType::UInt64:
  case DataType::UInt4:
  case DataType::Int4:
  case DataType::UInt2:
  case DataType::Int2:
    return true;
  default:
    return false;
  }
}

} // namespace nestor::onnx

#endif // NESTOR_IMPORT_ONNX_DATATYPE_H
