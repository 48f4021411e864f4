//===- Npy.cpp - NumPy's array format -------------------------------------===//
//
// Versions 1 to 3 of the format; both byte orders and both element orders are
// read, little-endian row-major is written. bfloat16 is '<V2', as ml_dtypes
// writes it.
//
//===----------------------------------------------------------------------===//

#include "nestor/API/TensorFile.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace nestor {
namespace {

Failure bad(const std::string &what) {
  return {4, "the .npy data is malformed: " + what};
}

struct Descr {
  std::string_view text;
  DType dtype;
};
constexpr Descr descrs[] = {
    {"b1", DType::Bool}, {"u1", DType::U8},   {"i1", DType::I8},
    {"u2", DType::U16},  {"i2", DType::I16},  {"u4", DType::U32},
    {"i4", DType::I32},  {"u8", DType::U64},  {"i8", DType::I64},
    {"f2", DType::F16},  {"V2", DType::BF16}, {"f4", DType::F32},
    {"f8", DType::F64}};

/// The text after "'key':", blanks skipped; empty when there is none.
std::string_view valueOf(std::string_view header, std::string_view key) {
  size_t at = header.find(key);
  if (at == std::string_view::npos)
    return {};
  at = header.find(':', at);
  if (at == std::string_view::npos)
    return {};
  ++at;
  while (at < header.size() && header[at] == ' ')
    ++at;
  return header.substr(at);
}

/// From column-major to row-major.
void transpose(const uint8_t *from, uint8_t *to, std::span<const int64_t> dims,
               size_t size, int64_t count) {
  std::vector<int64_t> index(dims.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t source = 0, stride = 1;
    for (size_t d = 0; d < dims.size(); ++d) {
      source += index[d] * stride;
      stride *= dims[d];
    }
    memcpy(to + i * size, from + source * size, size);
    for (size_t d = dims.size(); d-- > 0;) {
      if (++index[d] < dims[d])
        break;
      index[d] = 0;
    }
  }
}

} // namespace

Result<Tensor> parseNpy(std::span<const uint8_t> bytes) {
  if (bytes.size() < 10 || memcmp(bytes.data(), "\x93NUMPY", 6) != 0)
    return bad("it does not start as one");
  int version = bytes[6];
  size_t prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || bytes.size() < prefix)
    return bad("its version is unknown");
  size_t length = bytes[8] | size_t(bytes[9]) << 8;
  if (version > 1)
    length |= size_t(bytes[10]) << 16 | size_t(bytes[11]) << 24;
  if (length > bytes.size() - prefix)
    return bad("its header is cut off");
  std::string_view header(reinterpret_cast<const char *>(bytes.data()) + prefix,
                          length);

  std::string_view descr = valueOf(header, "'descr'");
  if (descr.size() < 5 || descr[0] != '\'' || descr[4] != '\'')
    return bad("its element type is not a plain one");
  char order = descr[1];
  const Descr *row =
      std::find_if(std::begin(descrs), std::end(descrs), [&](const Descr &r) {
        return r.text == descr.substr(2, 2);
      });
  if (row == std::end(descrs) || !strchr("<>=|", order))
    return Failure{5, "the .npy element type " +
                          std::string(descr.substr(0, 5)) +
                          " is not supported"};

  bool columnMajor = valueOf(header, "'fortran_order'").starts_with("True");
  std::string_view shape = valueOf(header, "'shape'");
  size_t end = shape.find(')');
  if (shape.empty() || shape[0] != '(' || end == std::string_view::npos)
    return bad("it has no shape");
  std::vector<int64_t> dims;
  const char *at = shape.data() + 1, *stop = shape.data() + end;
  while (at < stop) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int64_t dim;
    auto [next, error] = std::from_chars(at, stop, dim);
    if (error != std::errc() || dim < 0 || dims.size() >= 32)
      return bad("its shape is impossible");
    dims.push_back(dim);
    at = *next == 'L' && next < stop ? next + 1 : next;
  }

  std::span<const uint8_t> data = bytes.subspan(prefix + length);
  // The bytes must be there before memory for them is taken.
  size_t size = dtypeSize(row->dtype);
  uint64_t wanted = size;
  for (int64_t dim : dims)
    if (dim != 0 && __builtin_mul_overflow(wanted, uint64_t(dim), &wanted))
      return bad("its shape is impossible");
  if (std::find(dims.begin(), dims.end(), 0) != dims.end())
    wanted = 0;
  if (wanted > data.size())
    return bad("its data is cut off");
  Result<Tensor> tensor = Tensor::allocate(row->dtype, dims);
  if (!tensor)
    return tensor;
  auto *out = static_cast<uint8_t *>(tensor->mutableData());
  if (columnMajor && dims.size() > 1)
    transpose(data.data(), out, dims, size, tensor->numElements());
  else
    memcpy(out, data.data(), wanted);
  if (order == '>' && size > 1)
    for (uint64_t i = 0; i < wanted; i += size)
      std::reverse(out + i, out + i + size);
  return tensor;
}

std::string formatNpy(const Tensor &tensor) {
  std::string_view descr;
  for (const Descr &row : descrs)
    if (row.dtype == tensor.dtype())
      descr = row.text;
  std::string header = "{'descr': '";
  header += dtypeSize(tensor.dtype()) == 1 ? '|' : '<';
  header += descr;
  header += "', 'fortran_order': False, 'shape': (";
  for (int64_t dim : tensor.dims())
    header += std::to_string(dim) + ",";
  header += "), }";
  // The data starts at a multiple of 64.
  while ((10 + header.size() + 1) % 64)
    header += ' ';
  header += '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  text.append(static_cast<const char *>(tensor.data()), tensor.numBytes());
  return text;
}

} // namespace nestor
