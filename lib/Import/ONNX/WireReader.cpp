//===- WireReader.cpp - Protobuf bytes to plain structs -------------------===//
//
// One function a message. protozero checks bounds and throws; wire types,
// depth and budget are checked here, and everything is caught in `guarded`.
//
// Assumes: the bytes outlive the structs.
// Leaves true: what Model.h promises; fields that Nestor does not know are
// skipped, repeated singular messages are merged as protobuf says.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/Model.h"
#include "nestor/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

#include <new>
#include <protozero/pbf_reader.hpp>

using namespace nestor;
using namespace nestor::onnx;
using protozero::pbf_reader;
using protozero::pbf_wire_type;

namespace {

/// Thrown inside this file only.
struct WireError {
  ErrorKind kind;
  std::string text;
};

class Reader {
public:
  void model(pbf_reader in, Model &out) {
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.irVersion = integer(in);
        break;
      case 2:
        out.producer = text(in);
        break;
      case 7:
        out.hasGraph = true;
        graph(message(in), out.graph);
        break;
      case 8:
        opset(message(in), push(out.opsets));
        break;
      case 25:
        function(message(in), push(out.functions));
        break;
      default:
        in.skip();
      }
  }

  void tensor(pbf_reader in, Tensor &out) {
    Scope scope(*this);
    auto view = in.data();
    out.message =
        Bytes(reinterpret_cast<const uint8_t *>(view.data()), view.size());
    while (in.next())
      switch (in.tag()) {
      case 1:
        integers(in, [&](int64_t dim) {
          if (out.dims.size() >= kMaxRank)
            fail("a tensor has a rank above " + llvm::Twine(kMaxRank));
          out.dims.push_back(dim);
        });
        break;
      case 2:
        out.type = DataType(int32_t(integer(in)));
        break;
      case 8:
        out.name = text(in);
        break;
      case 9:
        out.raw = bytes(in);
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        out.hasTypedData = true;
        in.skip();
        break;
      case 13:
        externalEntry(message(in), out);
        break;
      case 14:
        out.external = integer(in) == 1;
        break;
      default:
        in.skip();
      }
  }

private:
  unsigned depth = 0;
  uint64_t used = 0;

  struct Scope {
    explicit Scope(Reader &reader) : reader(reader) {
      if (++reader.depth > kMaxDepth)
        reader.fail("messages are nested more than " + llvm::Twine(kMaxDepth) +
                    " deep");
    }
    ~Scope() { --reader.depth; }
    Reader &reader;
  };

  [[noreturn]] void fail(const llvm::Twine &why) {
    throw WireError{ErrorKind::Malformed, why.str()};
  }

  void charge(uint64_t size) {
    used += size;
    if (used > kStructBudget)
      throw WireError{ErrorKind::Budget,
                      "the model's structure takes more than " +
                          std::to_string(kStructBudget >> 20) +
                          " MiB of memory"};
  }

  template <typename T>
  T &push(std::vector<T> &list) {
    charge(sizeof(T));
    return list.emplace_back();
  }

  void want(pbf_reader &in, pbf_wire_type type) {
    if (in.wire_type() != type)
      fail("field " + llvm::Twine(uint32_t(in.tag())) +
           " has the wrong wire type");
  }
  int64_t integer(pbf_reader &in) {
    want(in, pbf_wire_type::varint);
    return in.get_int64();
  }
  llvm::StringRef text(pbf_reader &in) {
    want(in, pbf_wire_type::length_delimited);
    auto view = in.get_view();
    return {view.data(), view.size()};
  }
  Bytes bytes(pbf_reader &in) {
    llvm::StringRef view = text(in);
    return {reinterpret_cast<const uint8_t *>(view.data()), view.size()};
  }
  pbf_reader message(pbf_reader &in) {
    want(in, pbf_wire_type::length_delimited);
    return in.get_message();
  }
  template <typename Fn>
  void integers(pbf_reader &in, Fn fn) {
    if (in.wire_type() == pbf_wire_type::varint)
      return fn(in.get_int64());
    want(in, pbf_wire_type::length_delimited);
    for (int64_t value : in.get_packed_int64())
      fn(value);
  }
  template <typename Fn>
  void floats(pbf_reader &in, Fn fn) {
    if (in.wire_type() == pbf_wire_type::fixed32)
      return fn(in.get_float());
    want(in, pbf_wire_type::length_delimited);
    for (float value : in.get_packed_float())
      fn(value);
  }

  void opset(pbf_reader in, Opset &out) {
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.domain = text(in);
        break;
      case 2:
        out.version = integer(in);
        break;
      default:
        in.skip();
      }
  }

  void externalEntry(pbf_reader in, Tensor &out) {
    llvm::StringRef key, value;
    while (in.next())
      switch (in.tag()) {
      case 1:
        key = text(in);
        break;
      case 2:
        value = text(in);
        break;
      default:
        in.skip();
      }
    if (key == "location") {
      out.location = value;
    } else if (key == "offset" || key == "length") {
      int64_t number = 0;
      if (value.getAsInteger(10, number) || number < 0)
        fail("external data " + key + " '" + value.take_front(40) +
             "' is not a number");
      if (key == "offset")
        out.offset = number;
      else
        out.length = number;
    }
  }

  void dimension(pbf_reader in, Dimension &out) {
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.value = integer(in);
        break;
      case 2:
        out.param = text(in);
        break;
      default:
        in.skip();
      }
  }

  void tensorType(pbf_reader in, TypeInfo &out) {
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.element = DataType(int32_t(integer(in)));
        break;
      case 2: {
        out.hasShape = true;
        pbf_reader shape = message(in);
        while (shape.next())
          if (shape.tag() == 1) {
            if (out.dims.size() >= kMaxRank)
              fail("a type has a rank above " + llvm::Twine(kMaxRank));
            charge(sizeof(Dimension));
            dimension(message(shape), out.dims.emplace_back());
          } else {
            shape.skip();
          }
        break;
      }
      default:
        in.skip();
      }
  }

  void type(pbf_reader in, TypeInfo &out) {
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.kind = TypeInfo::TensorType;
        tensorType(message(in), out);
        break;
      // Only named in error messages, so what they hold is not read.
      case 4:
        out.kind = TypeInfo::Sequence;
        in.skip();
        break;
      case 5:
        out.kind = TypeInfo::Map;
        in.skip();
        break;
      case 7:
        out.kind = TypeInfo::Opaque;
        in.skip();
        break;
      case 8:
        out.kind = TypeInfo::Sparse;
        in.skip();
        break;
      case 9:
        out.kind = TypeInfo::Optional;
        in.skip();
        break;
      default:
        in.skip();
      }
  }

  void valueInfo(pbf_reader in, ValueInfo &out) {
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.name = text(in);
        break;
      case 2:
        type(message(in), out.type);
        break;
      default:
        in.skip();
      }
  }

  void attribute(pbf_reader in, NodeAttribute &out) {
    Scope scope(*this);
    std::optional<AttributeKind> seen;
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.name = text(in);
        break;
      case 2:
        want(in, pbf_wire_type::fixed32);
        out.f = in.get_float();
        seen = AttributeKind::Float;
        break;
      case 3:
        out.i = integer(in);
        seen = AttributeKind::Int;
        break;
      case 4:
        out.s = text(in);
        seen = AttributeKind::String;
        break;
      case 5: {
        charge(sizeof(Tensor));
        auto value = std::make_shared<Tensor>();
        tensor(message(in), *value);
        out.tensor = std::move(value);
        seen = AttributeKind::Tensor;
        break;
      }
      case 6: {
        charge(sizeof(Graph));
        auto value = std::make_shared<Graph>();
        graph(message(in), *value);
        out.graph = std::move(value);
        seen = AttributeKind::Graph;
        break;
      }
      case 7:
        floats(in, [&](float v) {
          charge(sizeof v);
          out.floats.push_back(v);
        });
        seen = AttributeKind::Floats;
        break;
      case 8:
        integers(in, [&](int64_t v) {
          charge(sizeof v);
          out.ints.push_back(v);
        });
        seen = AttributeKind::Ints;
        break;
      case 9:
        charge(sizeof(llvm::StringRef));
        out.strings.push_back(text(in));
        seen = AttributeKind::Strings;
        break;
      case 20:
        out.kind = AttributeKind(int32_t(integer(in)));
        break;
      case 21:
        out.reference = text(in);
        break;
      default:
        in.skip();
      }
    // Files of IR version 1 may leave the kind out.
    if (out.kind == AttributeKind::Undefined && seen)
      out.kind = *seen;
    if (out.reference.empty() &&
        ((out.kind == AttributeKind::Tensor && !out.tensor) ||
         (out.kind == AttributeKind::Graph && !out.graph)))
      fail("attribute '" + out.name.take_front(80) + "' has no value");
  }

  void node(pbf_reader in, Node &out) {
    Scope scope(*this);
    while (in.next())
      switch (in.tag()) {
      case 1:
        charge(sizeof(llvm::StringRef));
        out.inputs.push_back(text(in));
        break;
      case 2:
        charge(sizeof(llvm::StringRef));
        out.outputs.push_back(text(in));
        break;
      case 3:
        out.name = text(in);
        break;
      case 4:
        out.op = text(in);
        break;
      case 5:
        attribute(message(in), push(out.attributes));
        break;
      case 7:
        out.domain = text(in);
        break;
      case 8:
        out.overload = text(in);
        break;
      default:
        in.skip();
      }
  }

  void graph(pbf_reader in, Graph &out) {
    Scope scope(*this);
    while (in.next())
      switch (in.tag()) {
      case 1:
        node(message(in), push(out.nodes));
        break;
      case 2:
        out.name = text(in);
        break;
      case 5:
        tensor(message(in), push(out.initializers));
        break;
      case 11:
        valueInfo(message(in), push(out.inputs));
        break;
      case 12:
        valueInfo(message(in), push(out.outputs));
        break;
      case 13:
        valueInfo(message(in), push(out.values));
        break;
      case 15:
        out.hasSparseInitializers = true;
        in.skip();
        break;
      default:
        in.skip();
      }
  }

  void function(pbf_reader in, Function &out) {
    Scope scope(*this);
    while (in.next())
      switch (in.tag()) {
      case 1:
        out.name = text(in);
        break;
      case 4:
        push(out.inputs) = text(in);
        break;
      case 5:
        push(out.outputs) = text(in);
        break;
      case 6:
        push(out.attributes) = text(in);
        break;
      case 7:
        node(message(in), push(out.nodes));
        break;
      case 9:
        opset(message(in), push(out.opsets));
        break;
      case 10:
        out.domain = text(in);
        break;
      case 11:
        attribute(message(in), push(out.defaults));
        break;
      case 12:
        valueInfo(message(in), push(out.values));
        break;
      case 13:
        out.overload = text(in);
        break;
      default:
        in.skip();
      }
  }
};

/// Runs `fn`, turning whatever is thrown into an error.
template <typename Fn>
llvm::Error guarded(Fn fn) {
  try {
    fn();
    return llvm::Error::success();
  } catch (const WireError &error) {
    return makeError(error.kind, error.text);
  } catch (const protozero::exception &error) {
    return makeError(ErrorKind::Malformed,
                     llvm::Twine("not a valid protobuf message (") +
                         error.what() + ")");
  } catch (const std::bad_alloc &) {
    return makeError(ErrorKind::Budget, "out of memory while reading");
  }
}

pbf_reader readerOf(Bytes bytes) {
  return pbf_reader(reinterpret_cast<const char *>(bytes.data()), bytes.size());
}

} // namespace

llvm::Expected<Model> onnx::parseModel(Bytes bytes, llvm::StringRef directory) {
  Model model;
  if (llvm::Error error =
          guarded([&] { Reader().model(readerOf(bytes), model); }))
    return error;
  if (!model.hasGraph)
    return makeError(ErrorKind::Malformed,
                     "this is not an ONNX model: it holds no graph");
  model.externals = std::make_shared<ExternalFiles>(directory);
  return model;
}

llvm::Expected<Tensor> onnx::parseTensor(Bytes bytes) {
  Tensor tensor;
  if (llvm::Error error =
          guarded([&] { Reader().tensor(readerOf(bytes), tensor); }))
    return error;
  return tensor;
}

llvm::Expected<Model> onnx::readModel(llvm::StringRef path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.takeError();
  if ((*file)->bytes().empty())
    return makeError(ErrorKind::Malformed, "'" + path + "' is empty");
  auto model = parseModel((*file)->bytes(), llvm::sys::path::parent_path(path));
  if (!model) {
    auto [kind, text] = takeError(model.takeError());
    return makeError(kind, "'" + path + "': " + text);
  }
  model->file = *file;
  return model;
}
