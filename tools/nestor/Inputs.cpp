// Inputs of a run: files where given, else random numbers from a seed.

#include "Command.h"

#include <cmath>
#include <cstring>
#include <random>

using nestor::DType;
using nestor::Failure;
using nestor::Result;
using nestor::Tensor;

void InputOptions::add(CLI::App &verb) {
  verb.add_option("--input", inputs,
                  "NAME=@FILE (.npy, .npz, .pb), @FILE.npz for all of them, or "
                  "NAME:TYPE:2x3@FILE for raw bytes; others are random")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb.add_option("--seed", seed, "Seed of random inputs")
      ->capture_default_str();
}

namespace {

/// What a file can make the command invent without being asked.
constexpr int64_t maxRandomBytes = 512 << 20;

Failure usage(std::string text) { return {ExitUsage, std::move(text)}; }

Result<Tensor> readRawSpec(const std::string &spec, size_t at,
                           std::string &name) {
  // NAME:TYPE:DIMS@FILE; the name may itself hold colons.
  std::string head = spec.substr(0, at), file = spec.substr(at + 1);
  size_t second = head.rfind(':');
  size_t first = second == std::string::npos || second == 0
                     ? std::string::npos
                     : head.rfind(':', second - 1);
  DType dtype;
  if (first == std::string::npos ||
      !nestor::parseDType(head.substr(first + 1, second - first - 1), dtype))
    return usage("--input " + spec +
                 ": expected NAME=@FILE or "
                 "NAME:TYPE:2x3@FILE");
  name = head.substr(0, first);
  std::vector<int64_t> dims;
  const char *p = head.c_str() + second + 1;
  while (*p) {
    char *end;
    long long dim = strtoll(p, &end, 10);
    if (end == p || dim < 0 || (*end && *end != 'x' && *end != ','))
      return usage("--input " + spec + ": the dims are not like 2x3");
    dims.push_back(dim);
    p = *end ? end + 1 : end;
  }
  return nestor::readRaw(file, dtype, std::move(dims));
}

/// Reads one --input into `given`.
Result<void> readInput(const std::string &spec,
                       std::map<std::string, Tensor> &given) {
  size_t mark = spec.find("=@");
  size_t at = spec.find('@');
  if (mark == std::string::npos && at != 0) {
    if (at == std::string::npos)
      return usage("--input " + spec + ": expected NAME=@FILE");
    std::string name;
    Result<Tensor> tensor = readRawSpec(spec, at, name);
    if (!tensor)
      return tensor.failure();
    given.insert_or_assign(name, std::move(*tensor));
    return {};
  }
  std::string name = at == 0 ? "" : spec.substr(0, mark);
  std::string file = spec.substr(at == 0 ? 1 : mark + 2);
  auto tensors = nestor::readTensors(file);
  if (!tensors)
    return tensors.failure();
  if (name.empty()) {
    for (nestor::NamedTensor &entry : *tensors) {
      if (entry.name.empty())
        return usage("--input " + spec +
                     ": the file names no tensor, use "
                     "NAME=@FILE");
      given.insert_or_assign(entry.name, std::move(entry.tensor));
    }
    return {};
  }
  for (nestor::NamedTensor &entry : *tensors)
    if (tensors->size() == 1 || entry.name == name) {
      given.insert_or_assign(name, std::move(entry.tensor));
      return {};
    }
  return usage("--input " + spec + ": the file has no entry '" + name + "'");
}

template <typename T, typename Make>
void fill(Tensor &tensor, Make make) {
  for (T &value : tensor.mutableValues<T>())
    value = make();
}

/// Floats in [-1, 1), integers 0 and 1 (valid indices and masks everywhere),
/// bytes over their whole range.
void randomize(Tensor &tensor, std::mt19937_64 &random) {
  auto unit = [&] { return double(random() >> 11) * 0x1p-52 - 1; };
  switch (tensor.dtype()) {
  case DType::F64:
    return fill<double>(tensor, unit);
  case DType::F32:
    return fill<float>(tensor, [&] { return float(unit()); });
  case DType::F16:
    return fill<uint16_t>(tensor,
                          [&] { return nestor::floatToHalf(float(unit())); });
  case DType::BF16:
    return fill<uint16_t>(tensor, [&] {
      return uint16_t(std::bit_cast<uint32_t>(float(unit())) >> 16);
    });
  case DType::U8:
  case DType::I8:
    return fill<uint8_t>(tensor, [&] { return uint8_t(random() >> 32); });
  case DType::Bool:
    return fill<uint8_t>(tensor, [&] { return uint8_t(random() >> 63); });
  case DType::U16:
  case DType::I16:
    return fill<uint16_t>(tensor, [&] { return uint16_t(random() >> 63); });
  case DType::U32:
  case DType::I32:
    return fill<uint32_t>(tensor, [&] { return uint32_t(random() >> 63); });
  case DType::U64:
  case DType::I64:
    return fill<uint64_t>(tensor, [&] { return random() >> 63; });
  }
}

/// A size for a dimension that nobody fixed: 1 in front (batches), else 32,
/// within the symbol's range.
int64_t defaultSize(const nestor::Program &program, const std::string &name,
                    size_t position) {
  int64_t size = position == 0 ? 1 : 32;
  for (const nestor::SymbolInfo &symbol : program.symbols())
    if (symbol.name == name) {
      size = std::max(size, symbol.min);
      if (symbol.max >= 0)
        size = std::min(size, symbol.max);
    }
  return size;
}

} // namespace

Result<std::vector<Tensor>>
makeInputs(const nestor::Program &program, const InputOptions &options,
           const std::map<std::string, int64_t> &dims) {
  std::map<std::string, Tensor> given;
  for (const std::string &spec : options.inputs)
    if (Result<void> read = readInput(spec, given); !read)
      return read.failure();
  for (const auto &[name, tensor] : given) {
    bool known = false;
    std::string names;
    for (const nestor::TensorInfo &info : program.inputs()) {
      known |= info.name == name;
      names += (names.empty() ? "" : ", ") + info.name;
    }
    if (!known)
      return usage("--input: the model has no input '" + name +
                   "'; it has: " + names);
  }
  // Sizes of symbols: asked for, then as the given inputs have them.
  std::map<std::string, int64_t> sizes = dims;
  for (const nestor::TensorInfo &info : program.inputs()) {
    auto found = given.find(info.name);
    if (found == given.end() || found->second.dims().size() != info.dims.size())
      continue;
    for (size_t d = 0; d < info.dims.size(); ++d)
      if (!info.dims[d].name.empty())
        sizes.emplace(info.dims[d].name, found->second.dims()[d]);
  }
  std::mt19937_64 random(options.seed);
  std::vector<Tensor> inputs;
  for (const nestor::TensorInfo &info : program.inputs()) {
    auto found = given.find(info.name);
    if (found != given.end()) {
      inputs.push_back(found->second);
      continue;
    }
    std::vector<int64_t> shape;
    int64_t room = maxRandomBytes;
    for (size_t d = 0; d < info.dims.size(); ++d) {
      const nestor::Dim &dim = info.dims[d];
      shape.push_back(
          dim.name.empty()
              ? dim.size
              : sizes.emplace(dim.name, defaultSize(program, dim.name, d))
                    .first->second);
    }
    for (int64_t dim : shape)
      room = dim > 0 ? room / dim : room;
    room /= int64_t(nestor::dtypeSize(info.dtype));
    if (!room)
      return Failure{ExitBudget, "input '" + info.name +
                                     "' is too large to be made up; give it "
                                     "with --input"};
    Result<Tensor> tensor = Tensor::allocate(info.dtype, std::move(shape));
    if (!tensor)
      return tensor.failure();
    randomize(*tensor, random);
    inputs.push_back(std::move(*tensor));
  }
  return inputs;
}
