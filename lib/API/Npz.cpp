//===- Npz.cpp - NumPy's archive of arrays --------------------------------===//
//
// A zip archive of .npy files, stored or deflated. The central directory says
// where the entries lie; nothing is believed before it is checked, and memory
// for an entry is bounded by what deflate could make of its bytes.
//
//===----------------------------------------------------------------------===//

#include "nestor/API/TensorFile.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <zlib.h>

namespace nestor {
namespace {

Failure bad(const std::string &what) {
  return {4, "the .npz file is malformed: " + what};
}

class Archive {
public:
  explicit Archive(std::span<const uint8_t> bytes) : bytes(bytes) {}

  bool inside(uint64_t offset, uint64_t length) const {
    return offset <= bytes.size() && length <= bytes.size() - offset;
  }
  uint64_t number(uint64_t offset, int size) const {
    uint64_t value = 0;
    for (int i = 0; i < size; ++i)
      value |= uint64_t(bytes[offset + i]) << 8 * i;
    return value;
  }
  std::span<const uint8_t> part(uint64_t offset, uint64_t length) const {
    return bytes.subspan(offset, length);
  }
  size_t size() const { return bytes.size(); }

private:
  std::span<const uint8_t> bytes;
};

struct Entry {
  std::string name;
  uint64_t method, crc, packed, size, offset;
};

/// Offset of the central directory and the number of its entries.
bool findDirectory(const Archive &zip, uint64_t &offset, uint64_t &count) {
  constexpr uint64_t endSize = 22;
  if (zip.size() < endSize)
    return false;
  // The end record is last but for a comment of up to 64 KB.
  uint64_t lowest = zip.size() > 65557 ? zip.size() - 65557 : 0;
  for (uint64_t at = zip.size() - endSize;; --at) {
    if (zip.number(at, 4) == 0x06054b50) {
      count = zip.number(at + 10, 2);
      offset = zip.number(at + 16, 4);
      // The 64-bit end record, when there is a locator in front of this one.
      if (at >= 20 && zip.number(at - 20, 4) == 0x07064b50) {
        uint64_t wide = zip.number(at - 12, 8);
        if (!zip.inside(wide, 56) || zip.number(wide, 4) != 0x06064b50)
          return false;
        count = zip.number(wide + 32, 8);
        offset = zip.number(wide + 48, 8);
      }
      return true;
    }
    if (at == lowest)
      return false;
  }
}

/// Replaces the sizes of `entry` that do not fit 32 bits by the extra field's.
bool readWideSizes(const Archive &zip, uint64_t at, uint64_t length,
                   Entry &entry) {
  while (length >= 4) {
    uint64_t id = zip.number(at, 2), size = zip.number(at + 2, 2);
    at += 4;
    length -= 4;
    if (size > length)
      return false;
    if (id == 1)
      for (uint64_t *field : {&entry.size, &entry.packed, &entry.offset}) {
        if (*field != 0xffffffff)
          continue;
        if (size < 8)
          return false;
        *field = zip.number(at, 8);
        at += 8, size -= 8, length -= 8;
      }
    at += size;
    length -= size;
  }
  return true;
}

Result<std::vector<uint8_t>> unpack(const Archive &zip, const Entry &entry) {
  if (!zip.inside(entry.offset, 30) ||
      zip.number(entry.offset, 4) != 0x04034b50)
    return bad("entry '" + entry.name + "' is not where it should be");
  uint64_t start = entry.offset + 30 + zip.number(entry.offset + 26, 2) +
                   zip.number(entry.offset + 28, 2);
  if (!zip.inside(start, entry.packed))
    return bad("entry '" + entry.name + "' is cut off");
  // Deflate makes at most 1032 bytes of one.
  if (entry.size > entry.packed * 1032 + 64)
    return bad("entry '" + entry.name + "' claims an impossible size");
  std::span<const uint8_t> packed = zip.part(start, entry.packed);
  std::vector<uint8_t> data;
  if (entry.method == 0) {
    if (entry.size != entry.packed)
      return bad("entry '" + entry.name + "' has two sizes");
    data.assign(packed.begin(), packed.end());
  } else if (entry.method == 8) {
    data.resize(entry.size);
    z_stream stream = {};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      return Failure{7, "no memory to unpack an .npz file"};
    int state = Z_OK;
    size_t in = 0, out = 0;
    // zlib counts in 32 bits: feed it piece by piece.
    while (state == Z_OK) {
      stream.next_in = const_cast<uint8_t *>(packed.data()) + in;
      stream.avail_in = uInt(std::min<size_t>(packed.size() - in, 1u << 30));
      stream.next_out = data.data() + out;
      stream.avail_out = uInt(std::min<size_t>(data.size() - out, 1u << 30));
      uInt givenIn = stream.avail_in, givenOut = stream.avail_out;
      state = inflate(&stream, Z_NO_FLUSH);
      in += givenIn - stream.avail_in;
      out += givenOut - stream.avail_out;
      if (state == Z_OK && givenIn == stream.avail_in &&
          givenOut == stream.avail_out)
        state = Z_BUF_ERROR;
    }
    inflateEnd(&stream);
    if (state != Z_STREAM_END || out != data.size())
      return bad("entry '" + entry.name + "' does not unpack");
  } else {
    return Failure{5, "an .npz entry uses compression method " +
                          std::to_string(entry.method) +
                          ", which is not supported"};
  }
  if (crc32_z(0, data.data(), data.size()) != entry.crc)
    return bad("entry '" + entry.name + "' has a wrong checksum");
  return data;
}

void put(std::string &out, uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    out += static_cast<char>(value >> 8 * i & 255);
}

} // namespace

Result<std::vector<NamedTensor>> parseNpz(std::span<const uint8_t> bytes) {
  Archive zip(bytes);
  uint64_t at, count;
  if (!findDirectory(zip, at, count))
    return bad("it has no directory");
  if (count > 100000)
    return Failure{7, "an .npz file has more than 100000 entries"};
  std::vector<NamedTensor> tensors;
  for (uint64_t i = 0; i < count; ++i) {
    if (!zip.inside(at, 46) || zip.number(at, 4) != 0x02014b50)
      return bad("its directory is cut off");
    Entry entry;
    entry.method = zip.number(at + 10, 2);
    entry.crc = zip.number(at + 16, 4);
    entry.packed = zip.number(at + 20, 4);
    entry.size = zip.number(at + 24, 4);
    uint64_t nameLength = zip.number(at + 28, 2);
    uint64_t extraLength = zip.number(at + 30, 2);
    uint64_t commentLength = zip.number(at + 32, 2);
    entry.offset = zip.number(at + 42, 4);
    if (!zip.inside(at + 46, nameLength + extraLength + commentLength))
      return bad("its directory is cut off");
    std::span<const uint8_t> name = zip.part(at + 46, nameLength);
    entry.name.assign(name.begin(), name.end());
    if (!readWideSizes(zip, at + 46 + nameLength, extraLength, entry))
      return bad("its directory has a malformed entry");
    at += 46 + nameLength + extraLength + commentLength;
    if (!entry.name.ends_with(".npy"))
      continue;
    Result<std::vector<uint8_t>> data = unpack(zip, entry);
    if (!data)
      return data.failure();
    Result<Tensor> tensor = parseNpy(*data);
    if (!tensor)
      return tensor.failure();
    entry.name.resize(entry.name.size() - 4);
    tensors.push_back({std::move(entry.name), std::move(*tensor)});
  }
  return tensors;
}

Result<void> writeNpz(const std::string &path,
                      std::span<const NamedTensor> tensors) {
  FILE *file = fopen(path.c_str(), "wbe");
  if (!file)
    return Failure{3, "cannot write " + path + ": " + strerror(errno)};
  std::string directory;
  uint64_t offset = 0;
  bool written = true;
  for (const NamedTensor &entry : tensors) {
    std::string data = formatNpy(entry.tensor);
    std::string name = entry.name + ".npy";
    if (data.size() >= 0xffffffff || offset >= 0xffffffff ||
        name.size() > 0xffff) {
      fclose(file);
      return Failure{5, "an .npz file over 4 GB is not supported"};
    }
    // Version 2.0, UTF-8 names, stored, 1980-01-01.
    std::string common;
    put(common, 20, 2);
    put(common, 0x800, 2);
    put(common, 0, 2);
    put(common, 0, 2);
    put(common, 0x21, 2);
    put(common,
        crc32_z(0, reinterpret_cast<const Bytef *>(data.data()), data.size()),
        4);
    put(common, data.size(), 4);
    put(common, data.size(), 4);
    put(common, name.size(), 2);
    put(common, 0, 2);

    std::string local;
    put(local, 0x04034b50, 4);
    local += common + name;
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);
    directory += common;
    put(directory, 0, 2); // comment
    put(directory, 0, 2); // disk
    put(directory, 0, 2); // internal attributes
    put(directory, 0, 4); // external attributes
    put(directory, offset, 4);
    directory += name;
    written &= fwrite(local.data(), 1, local.size(), file) == local.size() &&
               fwrite(data.data(), 1, data.size(), file) == data.size();
    offset += local.size() + data.size();
  }
  std::string end;
  put(end, 0x06054b50, 4);
  put(end, 0, 4);
  put(end, tensors.size(), 2);
  put(end, tensors.size(), 2);
  put(end, directory.size(), 4);
  put(end, offset, 4);
  put(end, 0, 2);
  directory += end;
  written &=
      fwrite(directory.data(), 1, directory.size(), file) == directory.size();
  written &= fclose(file) == 0;
  if (!written)
    return Failure{3, "cannot write " + path + ": " + strerror(errno)};
  return {};
}

} // namespace nestor
