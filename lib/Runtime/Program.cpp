//===- Program.cpp - Loading artefacts ------------------------------------===//
//
// The dynamic loader is always given /proc/self/fd/N of the very file that was
// checked: nobody can swap it in between, and a file written anew under an old
// name is never mistaken for the one that is still loaded. The descriptor stays
// open as long as the library, because the loader compares names.
//
//===----------------------------------------------------------------------===//

#include "nestor/Runtime/Program.h"

#include "nestor/Runtime/CpuFeatures.h"
#include "nestor/Runtime/DType.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <new>
#include <string_view>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nestor::rt {
namespace {

struct File {
  int fd = -1;
  ~File() {
    if (fd >= 0)
      close(fd);
  }
};

struct Mapping {
  void *bytes = MAP_FAILED;
  size_t size = 0;
  ~Mapping() {
    if (bytes != MAP_FAILED)
      munmap(bytes, size);
  }
};

/// The loaded shared object.
struct Library {
  void *handle = nullptr;
  File file;
  ~Library() {
    if (handle)
      dlclose(handle);
  }
};

/// Generated code may call libm (Codegen's allowedExternal) but names no
/// library; a host that loaded this runtime locally may not show it libm.
void showLibm() {
  static void *const libm = dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL);
  (void)libm;
}

Status openLibrary(File &&file, Library &library) {
  showLibm();
  library.file.fd = file.fd;
  file.fd = -1;
  char name[64];
  snprintf(name, sizeof name, "/proc/self/fd/%d", library.file.fd);
  library.handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library.handle) {
    const char *reason = dlerror();
    return fail(Code::Damaged, "the artefact cannot be loaded: %s",
                reason ? reason : "unknown reason");
  }
  return Status::success();
}

Status damaged(const char *what) {
  return fail(Code::Damaged,
              "the artefact is damaged: %s; compile the model "
              "again",
              what);
}

/// Counts and pointers of the contract; the text that a run relies on.
Status checkContract(const nst_model &model) {
  constexpr int64_t maxRows = 1 << 20;
  auto table = [](int64_t count, const void *rows) {
    return count >= 0 && count <= maxRows && (count == 0 || rows);
  };
  if (!table(model.num_inputs, model.inputs) ||
      !table(model.num_outputs, model.outputs) ||
      !table(model.num_symbols, model.symbols) ||
      !table(model.num_constants, model.constants) || !model.run)
    return damaged("its contract has impossible counts");
  for (int64_t i = 0; i < model.num_symbols; ++i)
    if (!model.symbols[i].name)
      return damaged("a symbol has no name");
  for (bool input : {true, false}) {
    const nst_io *rows = input ? model.inputs : model.outputs;
    int64_t count = input ? model.num_inputs : model.num_outputs;
    for (int64_t i = 0; i < count; ++i) {
      const nst_io &io = rows[i];
      if (!io.name || dtypeSize(io.dtype) == 0 || io.rank < 0 ||
          io.rank > kMaxRank || (io.rank > 0 && !io.dims))
        return damaged("an input or output has an impossible type");
      for (int32_t d = 0; d < io.rank; ++d) {
        const nst_dim &dim = io.dims[d];
        bool fixed = dim.symbol == NST_DIM_FIXED && dim.value >= 0;
        bool named = dim.symbol >= 0 && dim.symbol < model.num_symbols;
        bool unknown = !input && dim.symbol == NST_DIM_UNKNOWN;
        if (!fixed && !named && !unknown)
          return damaged("an input or output has an impossible dimension");
      }
    }
  }
  for (int64_t i = 0; i < model.num_constants; ++i)
    if (!model.constants[i].key)
      return damaged("a constant has no key");
  return Status::success();
}

} // namespace

const char *Program::features() const {
  return contract->features ? contract->features : "";
}

Status Program::adopt(const nst_model *model, const void *weights,
                      uint64_t weightsBytes, std::shared_ptr<void> owner,
                      LoadOptions options, Ptr &program) try {
  // These three come first: they say how much of the rest there is.
  if (!model || model->magic != NST_MAGIC)
    return damaged("its nst_model has no magic number");
  if (model->abi_version != NST_ABI_VERSION)
    return fail(Code::Damaged,
                "the artefact has contract version %u, this runtime speaks "
                "version %u; compile the model again",
                model->abi_version, NST_ABI_VERSION);
  if (model->struct_size < offsetof(nst_model, run) + sizeof(void *))
    return damaged("its nst_model is too small");
  if (Status status = checkContract(*model); !status.ok())
    return status;

  std::shared_ptr<Program> result(new Program);
  Status features = requireFeatures(model->features ? model->features : "");
  if (features.ok() && model->features &&
      std::string_view(model->features).find("amx") != std::string_view::npos)
    features = requestAmx();
  if (!features.ok() && options.checkFeatures)
    return features;
  result->featuresPresent = features.ok();
  result->contract = model;
  result->numWeightsBytes = weights ? weightsBytes : 0;
  result->constantPointers.reserve(model->num_constants + 1);
  for (int64_t i = 0; i < model->num_constants; ++i) {
    const nst_constant &constant = model->constants[i];
    const void *bytes = nullptr;
    if (options.resolver)
      bytes = options.resolver(constant.key, constant.bytes);
    if (!bytes && weights) {
      if (constant.offset > weightsBytes ||
          constant.bytes > weightsBytes - constant.offset)
        return damaged("a constant lies outside its weights");
      bytes = static_cast<const char *>(weights) + constant.offset;
    }
    if (!bytes && constant.bytes != 0 && options.checkFeatures)
      return fail(Code::Damaged,
                  "the artefact has no weights for constant '%s'; give them at "
                  "load or compile the model again",
                  constant.key);
    if (reinterpret_cast<uintptr_t>(bytes) % NST_ALIGNMENT != 0) {
      // Bytes of a mapped model file lie where they lie: the kernels cannot
      // take them from there.
      Buffer copy;
      if (!copy.allocate(constant.bytes, Allocator()))
        return fail(Code::Budget, "no memory for %llu bytes of constants",
                    static_cast<unsigned long long>(constant.bytes));
      memcpy(copy.data(), bytes, constant.bytes);
      bytes = copy.data();
      result->copies.push_back(std::move(copy));
    }
    result->constantPointers.push_back(bytes);
  }
  result->constantPointers.push_back(nullptr);
  result->resolver = std::move(options.resolver);
  result->owner = std::move(owner);
  program = std::move(result);
  return Status::success();
} catch (const std::bad_alloc &) {
  return fail(Code::Budget, "out of memory while loading an artefact");
}

namespace {

/// Checks the bytes of `file`, then gives it to the dynamic loader.
Status openChecked(File &&file, const uint8_t *bytes, size_t size,
                   LoadOptions &&options, Program::Ptr &program) {
  ArtefactLayout layout;
  if (Status status = checkArtefact(bytes, size, options.integrity, layout);
      !status.ok())
    return status;
  auto library = std::make_shared<Library>();
  if (Status status = openLibrary(std::move(file), *library); !status.ok())
    return status;
  auto *model =
      static_cast<const nst_model *>(dlsym(library->handle, NST_MODEL_SYMBOL));
  const void *weights = layout.weightsBytes
                            ? dlsym(library->handle, NST_WEIGHTS_SYMBOL)
                            : nullptr;
  return Program::adopt(model, weights, layout.weightsBytes, std::move(library),
                        std::move(options), program);
}

} // namespace

Status Program::loadFile(const char *path, LoadOptions options,
                         Ptr &program) try {
  File file;
  // O_NONBLOCK: opening a pipe must not wait for its other end.
  file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat info;
  if (file.fd < 0 || fstat(file.fd, &info) != 0)
    return fail(Code::Unreadable, "cannot open %s: %s", path, strerror(errno));
  if (!S_ISREG(info.st_mode))
    return fail(Code::Unreadable, "cannot read %s: it is no regular file",
                path);
  if (info.st_size == 0)
    return fail(Code::Damaged, "%s: the artefact is empty", path);
  Mapping map;
  map.size = static_cast<size_t>(info.st_size);
  map.bytes = mmap(nullptr, map.size, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (map.bytes == MAP_FAILED)
    return fail(Code::Unreadable, "cannot map %s: %s", path, strerror(errno));
  Status status =
      openChecked(std::move(file), static_cast<const uint8_t *>(map.bytes),
                  map.size, std::move(options), program);
  if (!status.ok())
    status.message = std::string(path) + ": " + status.message;
  return status;
} catch (const std::bad_alloc &) {
  return fail(Code::Budget, "out of memory while loading an artefact");
}

Status Program::loadBytes(const uint8_t *bytes, size_t size,
                          LoadOptions options, Ptr &program) try {
  File file;
  file.fd = memfd_create("nestor-artefact", MFD_CLOEXEC);
  if (file.fd < 0)
    return fail(Code::Budget, "cannot make a memory file: %s", strerror(errno));
  for (size_t done = 0; done < size;) {
    ssize_t n = write(file.fd, bytes + done, size - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return fail(Code::Budget, "cannot fill a memory file: %s",
                  strerror(errno));
    done += static_cast<size_t>(n);
  }
  return openChecked(std::move(file), bytes, size, std::move(options), program);
} catch (const std::bad_alloc &) {
  return fail(Code::Budget, "out of memory while loading an artefact");
}

} // namespace nestor::rt
