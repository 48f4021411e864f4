// Writes ONNX messages for tests: the few fields that tests need, and a way to
// add any other.
#ifndef NESTOR_TEST_UNIT_IMPORT_ONNXBUILDER_H
#define NESTOR_TEST_UNIT_IMPORT_ONNXBUILDER_H

#include "nestor/Import/ONNX/DataType.h"

#include "llvm/ADT/ArrayRef.h"

#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

namespace nestor::test {

/// A protobuf message being written.
class Message {
public:
  std::string bytes;

  Message &varint(unsigned field, uint64_t value) {
    put(field << 3);
    put(value);
    return *this;
  }
  Message &text(unsigned field, const std::string &value) {
    put(field << 3 | 2);
    put(value.size());
    bytes += value;
    return *this;
  }
  Message &sub(unsigned field, const Message &value) {
    return text(field, value.bytes);
  }
  Message &fixed32(unsigned field, float value) {
    put(field << 3 | 5);
    bytes.append(reinterpret_cast<const char *>(&value), 4);
    return *this;
  }
  void put(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      bytes += char(value | 0x80);
    bytes += char(value);
  }
};

template <typename T>
std::string raw(std::vector<T> values) {
  std::string result(values.size() * sizeof(T), 0);
  if (!values.empty())
    std::memcpy(result.data(), values.data(), result.size());
  return result;
}

inline Message tensor(const std::string &name, onnx::DataType type,
                      std::vector<int64_t> dims, const std::string &data) {
  Message m;
  for (int64_t dim : dims)
    m.varint(1, dim);
  m.varint(2, uint64_t(type)).text(8, name).text(9, data);
  return m;
}

/// A float tensor type; a dim below 0 is the symbol "n".
inline Message value(const std::string &name, std::vector<int64_t> dims,
                     onnx::DataType type = onnx::DataType::Float) {
  Message shape, tensorType, typeProto, info;
  for (int64_t dim : dims) {
    Message d;
    if (dim < 0)
      d.text(2, "n");
    else
      d.varint(1, dim);
    shape.sub(1, d);
  }
  tensorType.varint(1, uint64_t(type)).sub(2, shape);
  typeProto.sub(1, tensorType);
  return info.text(1, name).sub(2, typeProto), info;
}

inline Message integer(const std::string &name, int64_t v) {
  Message m;
  m.text(1, name).varint(3, uint64_t(v)).varint(20, 2);
  return m;
}
inline Message integers(const std::string &name, std::vector<int64_t> list) {
  Message m;
  m.text(1, name);
  for (int64_t v : list)
    m.varint(8, uint64_t(v));
  m.varint(20, 7);
  return m;
}

inline Message node(const std::string &op, std::vector<std::string> inputs,
                    std::vector<std::string> outputs,
                    std::vector<Message> attributes = {}) {
  Message m;
  for (const std::string &name : inputs)
    m.text(1, name);
  for (const std::string &name : outputs)
    m.text(2, name);
  m.text(4, op);
  for (const Message &attribute : attributes)
    m.sub(5, attribute);
  return m;
}

struct GraphParts {
  std::vector<Message> nodes, initializers, inputs, outputs;

  Message message() const {
    Message m;
    for (const Message &part : nodes)
      m.sub(1, part);
    for (const Message &part : initializers)
      m.sub(5, part);
    for (const Message &part : inputs)
      m.sub(11, part);
    for (const Message &part : outputs)
      m.sub(12, part);
    return m;
  }
};

inline std::string model(const Message &graph, int64_t opset = 17) {
  Message m, version;
  version.varint(2, opset);
  m.varint(1, 8).sub(7, graph).sub(8, version);
  return m.bytes;
}

inline llvm::ArrayRef<uint8_t> view(const std::string &bytes) {
  return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
}

} // namespace nestor::test

#endif // NESTOR_TEST_UNIT_IMPORT_ONNXBUILDER_H
