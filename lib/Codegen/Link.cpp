//===- Link.cpp - Objects to a shared object, in process ------------------===//
//
// lld reads its inputs from memory files and writes a temporary file beside
// the result, which is renamed when it is complete: a half-written artefact is
// never seen under its own name.
//
//===----------------------------------------------------------------------===//
#include "nestor/Codegen/Link.h"
#include "ElfWriter.h"
#include "nestor/Support/Error.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace nestor;
using llvm::StringRef;

bool nestor::allowedExternal(StringRef symbol) {
  static const llvm::StringSet<> names = {
      "memcpy", "memmove", "memset",    "memcmp",     "bcmp",   "acos",
      "acosh",  "asin",    "asinh",     "atan",       "atan2",  "atanh",
      "cbrt",   "cos",     "cosh",      "erf",        "erfc",   "exp",
      "exp2",   "expm1",   "fma",       "fmod",       "log",    "log10",
      "log1p",  "log2",    "pow",       "sin",        "sincos", "sinh",
      "tan",    "tanh",    "fmodf",     "fmaf",       "floor",  "floorf",
      "ceil",   "ceilf",   "trunc",     "truncf",     "rint",   "rintf",
      "round",  "roundf",  "roundeven", "roundevenf", "ldexp",  "ldexpf"};
  return names.contains(symbol);
}

/// Refuses undefined symbols that no process is sure to have. A call to a
/// compiler's support routine (__truncsfbf2, ...) ends here, not at load.
static llvm::Error checkSymbols(llvm::ArrayRef<ObjectBytes> objects) {
  llvm::StringSet<> defined{"nst_weights"}, undefined;
  for (const ObjectBytes &bytes : objects) {
    auto file = llvm::object::ObjectFile::createObjectFile(
        llvm::MemoryBufferRef(StringRef(bytes.data(), bytes.size()), "object"));
    if (!file)
      return makeError(ErrorKind::Internal,
                       "cannot read a generated object: " +
                           llvm::toString(file.takeError()));
    for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
      auto flags = symbol.getFlags();
      auto name = symbol.getName();
      if (!flags || !name) {
        llvm::consumeError(flags.takeError());
        llvm::consumeError(name.takeError());
        continue;
      }
      if (*flags & llvm::object::SymbolRef::SF_Undefined)
        undefined.insert(*name);
      else if (*flags & llvm::object::SymbolRef::SF_Global)
        defined.insert(*name);
    }
  }
  std::vector<std::string> missing;
  for (const auto &entry : undefined) {
    StringRef name = entry.getKey();
    if (!name.empty() && !defined.contains(name) && !allowedExternal(name) &&
        name != "_GLOBAL_OFFSET_TABLE_")
      missing.push_back(name.str());
  }
  if (missing.empty())
    return llvm::Error::success();
  llvm::sort(missing);
  return makeError(ErrorKind::Internal,
                   "generated code calls functions that nothing defines: " +
                       llvm::join(missing, ", "));
}

namespace {

/// A file in memory that lld can open by name.
class MemoryFile {
public:
  MemoryFile() = default;
  MemoryFile(MemoryFile &&other) : fd(other.fd) { other.fd = -1; }
  ~MemoryFile() {
    if (fd >= 0)
      close(fd);
  }

  llvm::Error write(const ObjectBytes &bytes) {
    fd = memfd_create("nestor-object", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < bytes.size()) {
      ssize_t n = ::write(fd, bytes.data() + done, bytes.size() - done);
      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      done += n;
    }
    if (fd < 0 || done < bytes.size())
      return makeError(ErrorKind::Budget,
                       llvm::Twine("no memory for an object: ") +
                           std::strerror(errno));
    return llvm::Error::success();
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd); }

private:
  int fd = -1;
};

} // namespace

static llvm::Error runLinker(StringRef output,
                             llvm::ArrayRef<ObjectBytes> objects,
                             const Target &target) {
  if (llvm::Error error = checkSymbols(objects))
    return error;
  std::vector<std::string> args = {
      "ld.lld", "-shared", "-m", target.isX86() ? "elf_x86_64" : "aarch64linux",
      // Bound at load: a run never enters the dynamic linker.
      "-z", "now", "-z", "relro", "-z", "noexecstack", "-z",
      "max-page-size=4096", "-Bsymbolic", "--hash-style=gnu", "--gc-sections",
      "--build-id=none", "--threads=1", "-o", output.str()};
  std::vector<MemoryFile> files(objects.size());
  for (auto [file, bytes] : llvm::zip_equal(files, objects)) {
    if (llvm::Error error = file.write(bytes))
      return error;
    args.push_back(file.path());
  }
  std::vector<const char *> argv;
  for (const std::string &arg : args)
    argv.push_back(arg.c_str());

  // lld keeps global state: one link at a time, none after a crash.
  static std::mutex mutex;
  static bool usable = true;
  std::lock_guard<std::mutex> lock(mutex);
  if (!usable)
    return makeError(ErrorKind::Internal,
                     "the linker crashed before in this process");
  std::string text;
  llvm::raw_string_ostream os(text);
  lld::Result result =
      lld::lldMain(argv, os, os, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode != 0)
    return makeError(ErrorKind::Internal,
                     "linking failed: " + StringRef(text).trim());
  return llvm::Error::success();
}

llvm::Expected<ObjectBytes>
nestor::linkShared(llvm::ArrayRef<ObjectBytes> objects, const Target &target) {
  llvm::SmallString<128> path;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("nestor-link", "so", path))
    return makeError(ErrorKind::Unreadable,
                     "cannot create a temporary file: " + code.message());
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(path); });
  if (llvm::Error error = runLinker(path, objects, target))
    return error;
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return makeError(ErrorKind::Unreadable, "cannot read the linked file: " +
                                                file.getError().message());
  StringRef bytes = (*file)->getBuffer();
  return ObjectBytes(bytes.begin(), bytes.end());
}

llvm::Error
nestor::linkSharedFile(StringRef path, llvm::ArrayRef<ObjectBytes> objects,
                       llvm::ArrayRef<llvm::ArrayRef<uint8_t>> weights,
                       const Target &target) {
  llvm::SmallString<128> temporary;
  // The pid keeps two compilers of one artefact apart.
  (llvm::Twine(path) + ".part" + llvm::Twine(getpid())).toVector(temporary);
  llvm::scope_exit remove([&] { llvm::sys::fs::remove(temporary); });
  // The linker's own complaint would look like a fault of the compiler.
  int probe = open(temporary.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (probe < 0)
    return makeError(ErrorKind::Unreadable,
                     "cannot write " + path + ": " + std::strerror(errno));
  close(probe);

  std::vector<ObjectBytes> inputs(objects.begin(), objects.end());
  std::vector<uint64_t> sizes;
  for (llvm::ArrayRef<uint8_t> bytes : weights)
    sizes.push_back(bytes.size());
  WeightsLayout layout = layoutWeights(sizes);
  if (layout.bytes > 0)
    inputs.push_back(weightsPlaceholder(layout.bytes, target));
  if (llvm::Error error = runLinker(temporary, inputs, target))
    return error;

  if (layout.bytes > 0) {
    int fd = open(temporary.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
      return makeError(ErrorKind::Unreadable, "cannot open " + temporary +
                                                  ": " + std::strerror(errno));
    llvm::scope_exit closeFile([&] { close(fd); });
    if (llvm::Error error = fillWeights(fd, weights, layout))
      return error;
  }
  if (std::error_code code = llvm::sys::fs::rename(temporary, path))
    return makeError(ErrorKind::Unreadable,
                     "cannot write " + path + ": " + code.message());
  return llvm::Error::success();
}
