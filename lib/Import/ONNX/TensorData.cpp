//===- TensorData.cpp - The bytes of a tensor -----------------------------===//
//
// raw_data and external data are views; the typed data fields (float_data,
// int32_data, ...) are views where the encoding is already row-major bytes and
// decoded copies otherwise.
//
// Assumes: the tensor's views are alive.
// Leaves true: the byte count is what dims and type say.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/Model.h"
#include "nestor/Support/Error.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>
#include <new>
#include <protozero/pbf_reader.hpp>

using namespace nestor;
using namespace nestor::onnx;
using protozero::pbf_reader;
using protozero::pbf_wire_type;

llvm::StringRef onnx::dataTypeName(DataType type) {
  switch (type) {
  case DataType::Undefined:
    return "undefined";
  case DataType::Float:
    return "float32";
  case DataType::UInt8:
    return "uint8";
  case DataType::Int8:
    return "int8";
  case DataType::UInt16:
    return "uint16";
  case DataType::Int16:
    return "int16";
  case DataType::Int32:
    return "int32";
  case DataType::Int64:
    return "int64";
  case DataType::String:
    return "string";
  case DataType::Bool:
    return "bool";
  case DataType::Float16:
    return "float16";
  case DataType::Double:
    return "float64";
  case DataType::UInt32:
    return "uint32";
  case DataType::UInt64:
    return "uint64";
  case DataType::Complex64:
    return "complex64";
  case DataType::Complex128:
    return "complex128";
  case DataType::BFloat16:
    return "bfloat16";
  case DataType::Float8E4M3FN:
    return "float8e4m3fn";
  case DataType::Float8E4M3FNUZ:
    return "float8e4m3fnuz";
  case DataType::Float8E5M2:
    return "float8e5m2";
  case DataType::Float8E5M2FNUZ:
    return "float8e5m2fnuz";
  case DataType::UInt4:
    return "uint4";
  case DataType::Int4:
    return "int4";
  case DataType::Float4E2M1:
    return "float4e2m1";
  case DataType::Float8E8M0:
    return "float8e8m0";
  case DataType::UInt2:
    return "uint2";
  case DataType::Int2:
    return "int2";
  }
  return "unknown";
}

unsigned onnx::dataTypeBits(DataType type) {
  switch (type) {
  case DataType::Undefined:
  case DataType::String:
    return 0;
  case DataType::UInt2:
  case DataType::Int2:
    return 2;
  case DataType::UInt4:
  case DataType::Int4:
  case DataType::Float4E2M1:
    return 4;
  case DataType::UInt8:
  case DataType::Int8:
  case DataType::Bool:
  case DataType::Float8E4M3FN:
  case DataType::Float8E4M3FNUZ:
  case DataType::Float8E5M2:
  case DataType::Float8E5M2FNUZ:
  case DataType::Float8E8M0:
    return 8;
  case DataType::UInt16:
  case DataType::Int16:
  case DataType::Float16:
  case DataType::BFloat16:
    return 16;
  case DataType::Float:
  case DataType::Int32:
  case DataType::UInt32:
    return 32;
  case DataType::Int64:
  case DataType::Double:
  case DataType::UInt64:
  case DataType::Complex64:
    return 64;
  case DataType::Complex128:
    return 128;
  }
  return 0;
}

llvm::Expected<int64_t> onnx::elementCount(llvm::ArrayRef<int64_t> dims) {
  int64_t count = 1;
  // Zero dims do not excuse an overflow of the others.
  bool zero = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return makeError(ErrorKind::Malformed,
                       "a tensor has the negative dim " + llvm::Twine(dim));
    if (dim == 0)
      zero = true;
    else if (llvm::MulOverflow(count, dim, count))
      return makeError(ErrorKind::Malformed,
                       "the product of a tensor's dims overflows");
  }
  return zero ? 0 : count;
}

llvm::Expected<int64_t> onnx::byteCount(int64_t count, DataType type) {
  unsigned bits = dataTypeBits(type);
  if (bits == 0)
    return makeError(type == DataType::String ? ErrorKind::Unsupported
                                              : ErrorKind::Malformed,
                     "a tensor of element type " + dataTypeName(type) + " (" +
                         llvm::Twine(int32_t(type)) +
                         ") holds no bytes that can be read");
  int64_t total = 0;
  if (llvm::MulOverflow<int64_t>(count, bits, total))
    return makeError(ErrorKind::Malformed, "a tensor's size overflows");
  return (total + 7) / 8;
}

namespace {

/// The field of TensorProto that carries `type`, and how wide it encodes.
unsigned fieldOf(DataType type) {
  switch (type) {
  case DataType::Float:
  case DataType::Complex64:
    return 4;
  case DataType::Double:
  case DataType::Complex128:
    return 10;
  case DataType::Int64:
    return 7;
  case DataType::UInt32:
  case DataType::UInt64:
    return 11;
  default:
    return 5;
  }
}

/// Gathers the typed data of a tensor.
struct TypedData {
  Bytes view;
  bool isView = true;
  std::vector<uint8_t> owned;
};

/// Decodes field `field` of `message`; varints are cut to `width` bytes each.
/// A single packed run of fixed-width values stays a view.
llvm::Error decodeTyped(Bytes message, unsigned field, unsigned width,
                        int64_t limit, TypedData &out) {
  try {
    pbf_reader in(reinterpret_cast<const char *>(message.data()),
                  message.size());
    bool fixed = field == 4 || field == 10;
    unsigned runs = 0;
    auto append = [&](const void *data, size_t size) {
      if (int64_t(out.owned.size() + size) > limit)
        return false;
      auto *bytes = static_cast<const uint8_t *>(data);
      out.owned.insert(out.owned.end(), bytes, bytes + size);
      return true;
    };
    bool fits = true;
    while (fits && in.next(field)) {
      pbf_wire_type wire = in.wire_type();
      if (wire == pbf_wire_type::length_delimited && fixed) {
        auto view = in.get_view();
        Bytes bytes(reinterpret_cast<const uint8_t *>(view.data()),
                    view.size());
        if (runs++ == 0) {
          out.view = bytes;
          continue;
        }
        if (out.isView) {
          out.isView = false;
          fits = append(out.view.data(), out.view.size());
        }
        fits = fits && append(bytes.data(), bytes.size());
        continue;
      }
      if (out.isView) {
        out.isView = false;
        fits = append(out.view.data(), out.view.size());
        ++runs;
      }
      if (!fits)
        break;
      if (wire == pbf_wire_type::length_delimited) {
        for (int64_t value : in.get_packed_int64())
          if (!(fits = append(&value, width)))
            break;
      } else if (wire == pbf_wire_type::varint && !fixed) {
        int64_t value = in.get_int64();
        fits = append(&value, width);
      } else if (wire == pbf_wire_type::fixed32 && field == 4) {
        float value = in.get_float();
        fits = append(&value, 4);
      } else if (wire == pbf_wire_type::fixed64 && field == 10) {
        double value = in.get_double();
        fits = append(&value, 8);
      } else {
        return makeError(ErrorKind::Malformed,
                         "a tensor's data has the wrong wire type");
      }
    }
    if (!fits)
      return makeError(ErrorKind::Malformed,
                       "a tensor holds more data than its dims say");
    return llvm::Error::success();
  } catch (const protozero::exception &error) {
    return makeError(ErrorKind::Malformed,
                     llvm::Twine("a tensor's data is not valid protobuf (") +
                         error.what() + ")");
  } catch (const std::bad_alloc &) {
    return makeError(ErrorKind::Budget, "out of memory while reading a tensor");
  }
}

llvm::Expected<TensorData> readExternal(const Tensor &tensor, int64_t size,
                                        ExternalFiles *externals) {
  if (!externals)
    return makeError(ErrorKind::Malformed, "external data is not allowed here");
  auto file = externals->open(tensor.location);
  if (!file)
    return file.takeError();
  Bytes all = (*file)->bytes();
  if (tensor.length && *tensor.length != size)
    return makeError(ErrorKind::Malformed,
                     "its external data is " + llvm::Twine(*tensor.length) +
                         " bytes long, its dims and type say " +
                         llvm::Twine(size));
  if (tensor.offset > int64_t(all.size()) ||
      size > int64_t(all.size()) - tensor.offset)
    return makeError(ErrorKind::Malformed,
                     "its external data (offset " + llvm::Twine(tensor.offset) +
                         ", " + llvm::Twine(size) +
                         " bytes) ends past the file '" +
                         tensor.location.take_front(200) + "' of " +
                         llvm::Twine(all.size()) + " bytes");
  return TensorData{all.slice(tensor.offset, size), *file, all};
}

llvm::Expected<TensorData> readChecked(const Tensor &tensor,
                                       ExternalFiles *externals) {
  auto count = elementCount(tensor.dims);
  if (!count)
    return count.takeError();
  auto size = byteCount(*count, tensor.type);
  if (!size)
    return size.takeError();
  if (tensor.external)
    return readExternal(tensor, *size, externals);
  if (tensor.raw && tensor.hasTypedData && !tensor.raw->empty())
    return makeError(ErrorKind::Malformed,
                     "it has both raw_data and a typed data field");
  if (tensor.raw && !(tensor.raw->empty() && tensor.hasTypedData)) {
    if (int64_t(tensor.raw->size()) != *size)
      return makeError(ErrorKind::Malformed,
                       "it has " + llvm::Twine(tensor.raw->size()) +
                           " bytes of raw_data, its dims and type say " +
                           llvm::Twine(*size));
    return TensorData{*tensor.raw, nullptr};
  }
  // Sub-byte and 8/16-bit types ride in int32_data, one value (or, for 4 and 2
  // bits, one packed byte) a varint.
  unsigned width = std::max(dataTypeBits(tensor.type), 8u) / 8;
  TypedData typed;
  if (llvm::Error error = decodeTyped(tensor.message, fieldOf(tensor.type),
                                      width, *size, typed))
    return error;
  int64_t got = typed.isView ? typed.view.size() : typed.owned.size();
  if (got != *size)
    return makeError(ErrorKind::Malformed,
                     "it holds " + llvm::Twine(got) +
                         " bytes of data, its dims and type say " +
                         llvm::Twine(*size));
  if (typed.isView)
    return TensorData{typed.view, nullptr};
  auto owner = std::make_shared<std::vector<uint8_t>>(std::move(typed.owned));
  return TensorData{Bytes(*owner), owner};
}

} // namespace

llvm::Expected<TensorData> onnx::readTensor(const Tensor &tensor,
                                            ExternalFiles *externals) {
  auto data = readChecked(tensor, externals);
  if (data)
    return data;
  auto [kind, text] = takeError(data.takeError());
  return makeError(kind,
                   "tensor '" + tensor.name.take_front(200) + "': " + text);
}
