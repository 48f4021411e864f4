// The wire reader: what it accepts, and that what it refuses ends with the
// right kind and a sentence.
#include "OnnxBuilder.h"
#include "nestor/Import/ONNX/Model.h"
#include "nestor/Support/Error.h"

#include "llvm/Support/FileSystem.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace nestor;
using namespace nestor::onnx;
using namespace nestor::test;
using testing::HasSubstr;

namespace {

template <typename T>
std::pair<ErrorKind, std::string> errorOf(llvm::Expected<T> value) {
  if (value)
    return {ErrorKind(0), "no error"};
  return takeError(value.takeError());
}

std::string smallModel() {
  GraphParts parts;
  parts.nodes = {node("Relu", {"x"}, {"y"})};
  parts.inputs = {value("x", {2, -1})};
  parts.outputs = {value("y", {2, -1})};
  return model(parts.message());
}

class Folder {
public:
  Folder() {
    llvm::SmallString<128> buffer;
    llvm::sys::fs::createUniqueDirectory("nestor-reader", buffer);
    path = buffer.str().str();
  }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string write(const std::string &name, const std::string &bytes) {
    std::string file = path + "/" + name;
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }
  std::string path;
};

TEST(Reader, ReadsAModel) {
  std::string bytes = smallModel();
  auto m = parseModel(view(bytes), "");
  ASSERT_TRUE(bool(m));
  ASSERT_EQ(m->graph.nodes.size(), 1u);
  EXPECT_EQ(m->graph.nodes[0].op, "Relu");
  ASSERT_EQ(m->graph.inputs.size(), 1u);
  EXPECT_EQ(m->graph.inputs[0].type.dims[0].value, 2);
  EXPECT_EQ(m->graph.inputs[0].type.dims[1].param, "n");
  EXPECT_EQ(m->opsets[0].version, 17);
}

TEST(Reader, EveryTruncationIsAnErrorOrAModel) {
  std::string bytes = smallModel();
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::string cut = bytes.substr(0, n);
    auto m = parseModel(view(cut), "");
    if (!m) {
      EXPECT_EQ(takeError(m.takeError()).first, ErrorKind::Malformed) << n;
    }
  }
}

TEST(Reader, NestingHasALimit) {
  Message graph;
  for (int i = 0; i < 100000; ++i) {
    Message attribute, inner, outer;
    attribute.sub(6, graph);
    inner.sub(5, attribute);
    outer.sub(1, inner);
    graph = outer;
    if (graph.bytes.size() > 4000)
      break;
  }
  std::string bytes = model(graph);
  auto [kind, text] = errorOf(parseModel(view(bytes), ""));
  EXPECT_EQ(kind, ErrorKind::Malformed);
  EXPECT_THAT(text, HasSubstr("nested"));
}

TEST(Reader, ManyTinyNodesEndInTheBudget) {
  Message graph;
  for (int i = 0; i < 2'000'000; ++i)
    graph.sub(1, Message());
  std::string bytes = model(graph);
  EXPECT_EQ(errorOf(parseModel(view(bytes), "")).first, ErrorKind::Budget);
}

TEST(Reader, WrongWireTypesAreRefused) {
  Message m;
  m.varint(7, 5);
  EXPECT_EQ(errorOf(parseModel(view(m.bytes), "")).first, ErrorKind::Malformed);
}

TEST(Reader, TypedDataIsDecoded) {
  Message m, packed;
  for (int64_t v : {1, -2, 300})
    packed.put(uint64_t(v));
  m.varint(1, 3).varint(2, uint64_t(DataType::Int64)).text(7, packed.bytes);
  auto parsed = parseTensor(view(m.bytes));
  ASSERT_TRUE(bool(parsed));
  auto data = readTensor(*parsed, nullptr);
  ASSERT_TRUE(bool(data));
  int64_t values[3];
  std::memcpy(values, data->bytes.data(), sizeof values);
  EXPECT_EQ(values[1], -2);
  EXPECT_EQ(values[2], 300);
}

TEST(Reader, SmallIntegersRideInInt32Data) {
  Message m;
  m.varint(1, 2).varint(2, uint64_t(DataType::Int8));
  m.varint(5, uint64_t(-3)).varint(5, 7);
  auto parsed = parseTensor(view(m.bytes));
  ASSERT_TRUE(bool(parsed));
  auto data = readTensor(*parsed, nullptr);
  ASSERT_TRUE(bool(data));
  EXPECT_EQ(int8_t(data->bytes[0]), -3);
  EXPECT_EQ(data->bytes.size(), 2u);
}

TEST(Reader, SizesMustAgree) {
  auto wrong = [](std::vector<int64_t> dims, const std::string &data) {
    Message m = tensor("t", DataType::Float, dims, data);
    auto parsed = parseTensor(view(m.bytes));
    if (!parsed)
      return errorOf(std::move(parsed)).first;
    return errorOf(readTensor(*parsed, nullptr)).first;
  };
  EXPECT_EQ(wrong({3}, std::string(8, 0)), ErrorKind::Malformed);
  EXPECT_EQ(wrong({1}, std::string(8, 0)), ErrorKind::Malformed);
  EXPECT_EQ(wrong({-1}, std::string(4, 0)), ErrorKind::Malformed);
  EXPECT_EQ(wrong({int64_t(1) << 40, int64_t(1) << 40}, ""),
            ErrorKind::Malformed);
  EXPECT_EQ(wrong({0, int64_t(1) << 40, int64_t(1) << 40}, ""),
            ErrorKind::Malformed);
  EXPECT_EQ(wrong(std::vector<int64_t>(1000, 1), std::string(4, 0)),
            ErrorKind::Malformed);
}

TEST(Reader, FilesThatAreNoFilesAreUnreadable) {
  Folder folder;
  EXPECT_EQ(errorOf(readModel(folder.path)).first, ErrorKind::Unreadable);
  EXPECT_EQ(errorOf(readModel(folder.path + "/none")).first,
            ErrorKind::Unreadable);
  EXPECT_EQ(errorOf(readModel("/dev/zero")).first, ErrorKind::Unreadable);
  std::string fifo = folder.path + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(errorOf(readModel(fifo)).first, ErrorKind::Unreadable);
  EXPECT_EQ(errorOf(readModel(folder.write("empty", ""))).first,
            ErrorKind::Malformed);
}

class External : public testing::Test {
protected:
  void SetUp() override {
    folder.write("w.bin", raw<float>({1, 2, 3, 4}));
    folder.write("outside.bin", "x");
    ASSERT_FALSE(llvm::sys::fs::create_directory(folder.path + "/model"));
    folder.write("model/w.bin", raw<float>({1, 2, 3, 4}));
  }
  std::pair<ErrorKind, std::string> read(const std::string &location,
                                         const std::string &offset = "0",
                                         int64_t count = 4) {
    auto entry = [](const std::string &key, const std::string &v) {
      Message m;
      m.text(1, key).text(2, v);
      return m;
    };
    Message m;
    m.varint(1, count).varint(2, 1).varint(14, 1);
    m.sub(13, entry("location", location)).sub(13, entry("offset", offset));
    auto parsed = parseTensor(view(m.bytes));
    if (!parsed)
      return errorOf(std::move(parsed));
    ExternalFiles files(folder.path + "/model");
    auto data = readTensor(*parsed, &files);
    if (data) {
      float first;
      std::memcpy(&first, data->bytes.data(), 4);
      return {ErrorKind(0), std::to_string(int(first))};
    }
    return takeError(data.takeError());
  }
  Folder folder;
};

TEST_F(External, ReadsBeneathTheModel) {
  EXPECT_EQ(read("w.bin").second, "1");
  EXPECT_EQ(read("./w.bin", "4", 3).second, "2");
}

TEST_F(External, RefusesWhatLeavesTheModel) {
  EXPECT_EQ(read("../w.bin").first, ErrorKind::Malformed);
  EXPECT_EQ(read("/etc/passwd").first, ErrorKind::Malformed);
  EXPECT_EQ(read("").first, ErrorKind::Malformed);
  EXPECT_EQ(read("none.bin").first, ErrorKind::Malformed);
  EXPECT_EQ(read(std::string("w\0.bin", 6)).first, ErrorKind::Malformed);
}

TEST_F(External, RefusesLinks) {
  std::string model = folder.path + "/model";
  ASSERT_EQ(symlink("w.bin", (model + "/soft").c_str()), 0);
  EXPECT_EQ(read("soft").first, ErrorKind::Malformed);
  ASSERT_EQ(symlink("..", (model + "/up").c_str()), 0);
  EXPECT_EQ(read("up/outside.bin").first, ErrorKind::Malformed);
  ASSERT_EQ(link((folder.path + "/w.bin").c_str(), (model + "/hard").c_str()),
            0);
  EXPECT_EQ(read("hard").first, ErrorKind::Malformed);
}

TEST_F(External, RefusesRangesPastTheEnd) {
  EXPECT_EQ(read("w.bin", "4").first, ErrorKind::Malformed);
  EXPECT_EQ(read("w.bin", "-4").first, ErrorKind::Malformed);
  EXPECT_EQ(read("w.bin", "9223372036854775807").first, ErrorKind::Malformed);
  EXPECT_EQ(read("w.bin", "x").first, ErrorKind::Malformed);
}

} // namespace
