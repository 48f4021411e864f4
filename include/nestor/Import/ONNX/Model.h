//===- Model.h - An ONNX file as plain structs ------------------*- C++ -*-===//
//
// What the wire reader makes of a model file: structs that mirror the messages
// of onnx.proto which Nestor needs. Names are views of the mapped file; tensor
// bytes stay where they are until `readTensor` asks for them.
//
// Assumes: nothing about the file; it is hostile until proven otherwise.
// Leaves true: nesting is at most 64 messages deep, the structs take at most
// `kStructBudget` bytes, every view lies inside the mapping.
//
//===----------------------------------------------------------------------===//
#ifndef NESTOR_IMPORT_ONNX_MODEL_H
#define NESTOR_IMPORT_ONNX_MODEL_H

#include "nestor/Import/ONNX/DataType.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nestor::onnx {

using Bytes = llvm::ArrayRef<uint8_t>;

/// The most bytes that the structs of one file may take.
inline constexpr uint64_t kStructBudget = uint64_t(160) << 20;
/// The deepest nesting of messages.
inline constexpr unsigned kMaxDepth = 64;
/// The highest rank of a tensor.
inline constexpr unsigned kMaxRank = 32;

/// A file mapped read-only; unmapped with the last reference.
class MappedFile {
public:
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  /// Maps `path`; a directory, pipe or device is ErrorKind::Unreadable.
  static llvm::Expected<std::shared_ptr<MappedFile>> open(llvm::StringRef path);
  /// Maps the regular file behind `fd`, which stays the caller's.
  static llvm::Expected<std::shared_ptr<MappedFile>> map(int fd,
                                                         llvm::StringRef path);
  Bytes bytes() const { return {data, size}; }

private:
  MappedFile() = default;
  const uint8_t *data = nullptr;
  size_t size = 0;
};

/// A tensor whose bytes have not been looked at.
struct Tensor {
  llvm::StringRef name;
  llvm::SmallVector<int64_t, 4> dims;
  DataType type = DataType::Undefined;
  /// raw_data, when present.
  std::optional<Bytes> raw;
  /// The encoded message, read again for the typed data fields.
  Bytes message;
  bool hasTypedData = false;
  /// data_location = EXTERNAL with its entries.
  bool external = false;
  llvm::StringRef location;
  int64_t offset = 0;
  std::optional<int64_t> length;
};

/// The bytes of a tensor: row-major, little-endian, bool one byte, 4-bit types
/// two to a byte as in raw_data. `owner` keeps them alive; `file` is all of the
/// external file that they come from.
struct TensorData {
  Bytes bytes;
  std::shared_ptr<void> owner;
  Bytes file = {};
};

/// A dimension as written: a number, a name, or nothing.
struct Dimension {
  std::optional<int64_t> value;
  llvm::StringRef param;
};

struct TypeInfo {
  enum Kind { None, TensorType, Sequence, Optional, Map, Sparse, Opaque };
  Kind kind = None;
  DataType element = DataType::Undefined;
  bool hasShape = false;
  llvm::SmallVector<Dimension, 4> dims;
};

struct ValueInfo {
  llvm::StringRef name;
  TypeInfo type;
};

struct Graph;

/// AttributeProto.AttributeType.
enum class AttributeKind : int32_t {
  Undefined = 0,
  Float = 1,
  Int = 2,
  String = 3,
  Tensor = 4,
  Graph = 5,
  Floats = 6,
  Ints = 7,
  Strings = 8,
  Tensors = 9,
  Graphs = 10,
  SparseTensor = 11,
  SparseTensors = 12,
  TypeProto = 13,
  TypeProtos = 14,
};

struct NodeAttribute {
  llvm::StringRef name;
  /// In a function body: the function's attribute that this one stands for.
  llvm::StringRef reference;
  AttributeKind kind = AttributeKind::Undefined;
  float f = 0;
  int64_t i = 0;
  llvm::StringRef s;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<llvm::StringRef> strings;
  std::shared_ptr<const Tensor> tensor;
  std::shared_ptr<const Graph> graph;
};

struct Node {
  llvm::StringRef op, domain, name, overload;
  llvm::SmallVector<llvm::StringRef, 4> inputs;
  llvm::SmallVector<llvm::StringRef, 2> outputs;
  std::vector<NodeAttribute> attributes;
};

struct Graph {
  llvm::StringRef name;
  std::vector<Node> nodes;
  std::vector<Tensor> initializers;
  std::vector<ValueInfo> inputs, outputs, values;
  bool hasSparseInitializers = false;
};

struct Opset {
  llvm::StringRef domain;
  int64_t version = 0;
};

struct Function {
  llvm::StringRef name, domain, overload;
  std::vector<llvm::StringRef> inputs, outputs, attributes;
  /// Attributes with a default.
  std::vector<NodeAttribute> defaults;
  std::vector<Node> nodes;
  std::vector<Opset> opsets;
  std::vector<ValueInfo> values;
};

class ExternalFiles;

struct Model {
  int64_t irVersion = 0;
  llvm::StringRef producer;
  std::vector<Opset> opsets;
  bool hasGraph = false;
  Graph graph;
  std::vector<Function> functions;
  std::shared_ptr<MappedFile> file;
  std::shared_ptr<ExternalFiles> externals;
};

/// Maps and reads a model file.
llvm::Expected<Model> readModel(llvm::StringRef path);

/// Reads a model from bytes in memory that outlive it; external data is looked
/// for beneath `directory`.
llvm::Expected<Model> parseModel(Bytes bytes, llvm::StringRef directory);

/// Reads a TensorProto (the `.pb` files of test data).
llvm::Expected<Tensor> parseTensor(Bytes bytes);

/// The number of elements; Malformed for a negative dim or an overflow.
llvm::Expected<int64_t> elementCount(llvm::ArrayRef<int64_t> dims);

/// The number of bytes that `count` elements of `type` take.
llvm::Expected<int64_t> byteCount(int64_t count, DataType type);

/// The bytes of `tensor`, checked against its dims and type. `externals` may be
/// null: external data is then Malformed.
llvm::Expected<TensorData> readTensor(const Tensor &tensor,
                                      ExternalFiles *externals);

/// The files beneath a model's directory that hold external data. Paths are
/// hostile: relative, beneath the directory, no links of any kind.
class ExternalFiles {
public:
  explicit ExternalFiles(llvm::StringRef directory);
  ~ExternalFiles();
  /// The file at `location`, mapped once.
  llvm::Expected<std::shared_ptr<MappedFile>> open(llvm::StringRef location);

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace nestor::onnx

#endif // NESTOR_IMPORT_ONNX_MODEL_H
