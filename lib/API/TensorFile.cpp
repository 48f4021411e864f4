//===- TensorFile.cpp - Tensors in files ----------------------------------===//

#include "nestor/API/TensorFile.h"

#include "Convert.h"

#include "nestor/Import/ONNX/Model.h"

#include <cstring>

namespace nestor {
namespace {

bool fromOnnx(onnx::DataType type, DType &dtype) {
  using T = onnx::DataType;
  switch (type) {
  case T::Bool:
    dtype = DType::Bool;
    return true;
  case T::UInt8:
    dtype = DType::U8;
    return true;
  case T::Int8:
    dtype = DType::I8;
    return true;
  case T::UInt16:
    dtype = DType::U16;
    return true;
  case T::Int16:
    dtype = DType::I16;
    return true;
  case T::UInt32:
    dtype = DType::U32;
    return true;
  case T::Int32:
    dtype = DType::I32;
    return true;
  case T::UInt64:
    dtype = DType::U64;
    return true;
  case T::Int64:
    dtype = DType::I64;
    return true;
  case T::Float16:
    dtype = DType::F16;
    return true;
  case T::BFloat16:
    dtype = DType::BF16;
    return true;
  case T::Float:
    dtype = DType::F32;
    return true;
  case T::Double:
    dtype = DType::F64;
    return true;
  default:
    return false;
  }
}

Result<NamedTensor> parsePb(std::span<const uint8_t> bytes) {
  llvm::Expected<onnx::Tensor> proto =
      onnx::parseTensor({bytes.data(), bytes.size()});
  if (!proto)
    return toFailure(proto.takeError());
  DType dtype;
  if (proto->type == onnx::DataType::Undefined)
    return Failure{4, "the file holds no tensor"};
  if (!fromOnnx(proto->type, dtype))
    return Failure{5, "a tensor has element type " +
                          onnx::dataTypeName(proto->type).str() +
                          ", which is not supported"};
  llvm::Expected<onnx::TensorData> data = onnx::readTensor(*proto, nullptr);
  if (!data)
    return toFailure(data.takeError());
  // A copy: alignment, and the file may go.
  Result<Tensor> tensor =
      Tensor::allocate(dtype, {proto->dims.begin(), proto->dims.end()});
  if (!tensor)
    return tensor.failure();
  if (data->bytes.size() != tensor->numBytes())
    return Failure{4, "a tensor has more or fewer bytes than its dims say"};
  if (tensor->numBytes())
    memcpy(tensor->mutableData(), data->bytes.data(), tensor->numBytes());
  return NamedTensor{proto->name.str(), std::move(*tensor)};
}

} // namespace

Result<std::vector<NamedTensor>> readTensors(const std::string &path) {
  auto file = onnx::MappedFile::open(path);
  if (!file)
    return toFailure(file.takeError());
  std::span<const uint8_t> bytes((*file)->bytes().data(),
                                 (*file)->bytes().size());
  auto starts = [&](const char *magic, size_t size) {
    return bytes.size() >= size && memcmp(bytes.data(), magic, size) == 0;
  };
  auto named = [&](Failure failure) -> Failure {
    return {failure.code, path + ": " + failure.message};
  };
  if (starts("\x93NUMPY", 6)) {
    Result<Tensor> tensor = parseNpy(bytes);
    if (!tensor)
      return named(tensor.failure());
    return std::vector<NamedTensor>{{"", std::move(*tensor)}};
  }
  if (starts("PK\x03\x04", 4) || starts("PK\x05\x06", 4)) {
    Result<std::vector<NamedTensor>> tensors = parseNpz(bytes);
    if (!tensors)
      return named(tensors.failure());
    return tensors;
  }
  Result<NamedTensor> tensor = parsePb(bytes);
  if (!tensor)
    return named(tensor.failure());
  return std::vector<NamedTensor>{std::move(*tensor)};
}

Result<Tensor> readRaw(const std::string &path, DType dtype,
                       std::vector<int64_t> dims) {
  auto file = onnx::MappedFile::open(path);
  if (!file)
    return toFailure(file.takeError());
  llvm::ArrayRef<uint8_t> bytes = (*file)->bytes();
  uint64_t wanted = dtypeSize(dtype);
  for (int64_t dim : dims)
    if (dim < 0 || __builtin_mul_overflow(wanted, uint64_t(dim), &wanted))
      return Failure{2, path + ": the dims are impossible"};
  if (wanted != bytes.size())
    return Failure{8, path + " has " + std::to_string(bytes.size()) +
                          " bytes, the dims ask for " + std::to_string(wanted)};
  Result<Tensor> tensor = Tensor::allocate(dtype, std::move(dims));
  if (tensor && wanted)
    memcpy(tensor->mutableData(), bytes.data(), wanted);
  return tensor;
}

} // namespace nestor
