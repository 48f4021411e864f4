//===- MappedFile.cpp - Files mapped read-only ----------------------------===//
//
// The model file and the files of its external data. A model file is whatever
// the user names; an external file is named by the (hostile) model, so it must
// be a regular file with one link, beneath the model's directory, reached
// without following any link.
//
//===----------------------------------------------------------------------===//
#include "nestor/Import/ONNX/Model.h"
#include "nestor/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace nestor;
using namespace nestor::onnx;

static llvm::Error unreadable(llvm::StringRef path, llvm::StringRef why) {
  return makeError(ErrorKind::Unreadable, "cannot read '" + path + "': " + why);
}

MappedFile::~MappedFile() {
  if (size)
    ::munmap(const_cast<uint8_t *>(data), size);
}

llvm::Expected<std::shared_ptr<MappedFile>>
MappedFile::map(int fd, llvm::StringRef path) {
  struct stat st;
  if (::fstat(fd, &st) != 0)
    return unreadable(path, std::strerror(errno));
  if (S_ISDIR(st.st_mode))
    return unreadable(path, "it is a directory");
  if (!S_ISREG(st.st_mode))
    return unreadable(path, "it is not a regular file");
  std::shared_ptr<MappedFile> file(new MappedFile());
  if (st.st_size == 0)
    return file;
  void *p = ::mmap(nullptr, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED)
    return unreadable(path, std::strerror(errno));
  file->data = static_cast<const uint8_t *>(p);
  file->size = st.st_size;
  return file;
}

llvm::Expected<std::shared_ptr<MappedFile>>
MappedFile::open(llvm::StringRef path) {
  if (path.contains('\0'))
    return unreadable(path, "the path holds a NUL byte");
  // Non-blocking, so that a pipe without a writer does not hang the open.
  int fd = ::open(path.str().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return unreadable(path, std::strerror(errno));
  auto file = map(fd, path);
  ::close(fd);
  return file;
}

struct ExternalFiles::Impl {
  std::string directory;
  llvm::StringMap<std::shared_ptr<MappedFile>> files;
};

ExternalFiles::ExternalFiles(llvm::StringRef directory)
    : impl(std::make_unique<Impl>()) {
  impl->directory = directory.empty() ? "." : directory.str();
}
ExternalFiles::~ExternalFiles() = default;

/// Opens `location` beneath `directory` one component at a time, following no
/// link: what openat2 does where the kernel has it.
static int openBeneath(int directory, llvm::ArrayRef<llvm::StringRef> parts,
                       const std::string &whole) {
  struct open_how how;
  std::memset(&how, 0, sizeof how);
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = ::syscall(SYS_openat2, directory, whole.c_str(), &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL))
    return int(fd);
  int at = ::dup(directory);
  for (size_t i = 0; i < parts.size() && at >= 0; ++i) {
    bool last = i + 1 == parts.size();
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW |
                (last ? 0 : O_DIRECTORY);
    int next = ::openat(at, parts[i].str().c_str(), flags);
    int saved = errno;
    ::close(at);
    errno = saved;
    at = next;
  }
  return at;
}

llvm::Expected<std::shared_ptr<MappedFile>>
ExternalFiles::open(llvm::StringRef location) {
  auto refuse = [&](llvm::StringRef why) {
    return makeError(ErrorKind::Malformed, "external data location '" +
                                               location.take_front(200) +
                                               "': " + why);
  };
  auto known = impl->files.find(location);
  if (known != impl->files.end())
    return known->second;
  if (location.empty())
    return refuse("the path is empty");
  if (location.contains('\0'))
    return refuse("the path holds a NUL byte");
  if (location.starts_with("/"))
    return refuse("the path must be relative to the model's directory");
  if (location.size() > 4096)
    return refuse("the path is too long");
  llvm::SmallVector<llvm::StringRef> parts;
  location.split(parts, '/', -1, /*KeepEmpty=*/false);
  llvm::erase_if(parts, [](llvm::StringRef part) { return part == "."; });
  if (parts.empty())
    return refuse("the path names no file");
  for (llvm::StringRef part : parts)
    if (part == "..")
      return refuse("the path must stay beneath the model's directory");
  std::string whole = llvm::join(parts, "/");

  int directory =
      ::open(impl->directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0)
    return unreadable(impl->directory, std::strerror(errno));
  int fd = openBeneath(directory, parts, whole);
  int error = errno;
  ::close(directory);
  if (fd < 0)
    return refuse(error == ELOOP   ? "links are not followed"
                  : error == EXDEV ? "the path leaves the model's directory"
                                   : llvm::StringRef(std::strerror(error)));
  struct stat st;
  if (::fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
    ::close(fd);
    return refuse("it is not a regular file");
  }
  if (st.st_nlink != 1) {
    ::close(fd);
    return refuse("the file has other hard links");
  }
  auto file = MappedFile::map(fd, whole);
  ::close(fd);
  if (!file)
    return file.takeError();
  impl->files[location] = *file;
  return *file;
}
