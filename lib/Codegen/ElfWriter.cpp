//===- ElfWriter.cpp - Tiny ELF files, by hand ----------------------------===//
//
// See the header. The placeholder is the only mutable section that an artefact
// can have (models hold no global state), hence it has its own segment; that
// is checked before the file is changed.
//
//===----------------------------------------------------------------------===//
#include "ElfWriter.h"
#include "nestor/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace nestor;

static constexpr uint64_t pageBytes = 4096;
static constexpr char sectionName[] = ".nst.weights";
static constexpr char symbolName[] = "nst_weights";

template <typename T>
static void append(ObjectBytes &out, const T &value) {
  const char *p = reinterpret_cast<const char *>(&value);
  out.append(p, p + sizeof(T));
}

static void appendText(ObjectBytes &out, llvm::StringRef text) {
  out.append(text.begin(), text.end());
  out.push_back(0);
}

ObjectBytes nestor::weightsPlaceholder(uint64_t bytes, const Target &target) {
  // Layout: header, symbols (null, nst_weights), names, section headers.
  constexpr uint64_t symbolsAt = sizeof(Elf64_Ehdr);
  constexpr uint64_t namesAt = symbolsAt + 2 * sizeof(Elf64_Sym);
  ObjectBytes names;
  names.push_back(0);
  auto name = [&](llvm::StringRef text) {
    uint32_t at = names.size();
    appendText(names, text);
    return at;
  };
  uint32_t weightsName = name(sectionName), symtabName = name(".symtab"),
           strtabName = name(".strtab"), symbol = name(symbolName);
  uint64_t sectionsAt = llvm::alignTo(namesAt + names.size(), 8);

  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_REL;
  header.e_machine = target.isX86() ? EM_X86_64 : EM_AARCH64;
  header.e_version = EV_CURRENT;
  header.e_shoff = sectionsAt;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  header.e_shstrndx = 3;

  ObjectBytes out;
  append(out, header);
  append(out, Elf64_Sym{});
  Elf64_Sym weights = {};
  weights.st_name = symbol;
  weights.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
  weights.st_shndx = 1;
  weights.st_size = bytes;
  append(out, weights);
  out.append(names.begin(), names.end());
  out.resize(sectionsAt, 0);

  append(out, Elf64_Shdr{});
  Elf64_Shdr section = {};
  section.sh_name = weightsName;
  section.sh_type = SHT_NOBITS;
  // SHF_GNU_RETAIN: no code refers to the weights, so keep them by name.
  section.sh_flags = SHF_ALLOC | SHF_WRITE | SHF_GNU_RETAIN;
  section.sh_offset = symbolsAt;
  section.sh_size = bytes;
  section.sh_addralign = pageBytes;
  append(out, section);
  Elf64_Shdr symtab = {};
  symtab.sh_name = symtabName;
  symtab.sh_type = SHT_SYMTAB;
  symtab.sh_offset = symbolsAt;
  symtab.sh_size = 2 * sizeof(Elf64_Sym);
  symtab.sh_link = 3;
  symtab.sh_info = 1;
  symtab.sh_addralign = 8;
  symtab.sh_entsize = sizeof(Elf64_Sym);
  append(out, symtab);
  Elf64_Shdr strtab = {};
  strtab.sh_name = strtabName;
  strtab.sh_type = SHT_STRTAB;
  strtab.sh_offset = namesAt;
  strtab.sh_size = names.size();
  strtab.sh_addralign = 1;
  append(out, strtab);
  return out;
}

static llvm::Error systemError(const char *what) {
  return makeError(ErrorKind::Unreadable,
                   llvm::Twine("cannot write the artefact: ") + what + ": " +
                       std::strerror(errno));
}

static llvm::Error unexpectedLayout(const char *what) {
  return makeError(ErrorKind::Internal,
                   llvm::Twine("the linker laid out the weights in an "
                               "unexpected way: ") +
                       what);
}

static bool readAt(int fd, void *data, uint64_t size, uint64_t offset) {
  return pread(fd, data, size, offset) == static_cast<ssize_t>(size);
}

static bool writeAt(int fd, const void *data, uint64_t size, uint64_t offset) {
  // One write moves 2 GB at most.
  const char *p = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t done = pwrite(fd, p, std::min<uint64_t>(size, 1u << 30), offset);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return false;
    p += done;
    offset += done;
    size -= done;
  }
  return true;
}

llvm::Error nestor::fillWeights(int fd,
                                llvm::ArrayRef<llvm::ArrayRef<uint8_t>> weights,
                                const WeightsLayout &layout) {
  struct stat info;
  Elf64_Ehdr header;
  if (fstat(fd, &info) != 0 || !readAt(fd, &header, sizeof(header), 0))
    return systemError("reading the linked file");
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  std::vector<Elf64_Shdr> sections(header.e_shnum);
  if (!readAt(fd, segments.data(), segments.size() * sizeof(Elf64_Phdr),
              header.e_phoff) ||
      !readAt(fd, sections.data(), sections.size() * sizeof(Elf64_Shdr),
              header.e_shoff) ||
      header.e_shstrndx >= sections.size())
    return systemError("reading the linked file's tables");
  const Elf64_Shdr &names = sections[header.e_shstrndx];
  std::string strings(names.sh_size, '\0');
  if (!readAt(fd, strings.data(), strings.size(), names.sh_offset))
    return systemError("reading the linked file's names");

  Elf64_Shdr *section = nullptr;
  for (Elf64_Shdr &s : sections)
    if (s.sh_name < strings.size() &&
        llvm::StringRef(strings.c_str() + s.sh_name) == sectionName)
      section = &s;
  if (!section)
    return unexpectedLayout("no section");
  Elf64_Phdr *segment = nullptr;
  for (Elf64_Phdr &s : segments)
    if (s.p_type == PT_LOAD && s.p_vaddr <= section->sh_addr &&
        section->sh_addr < s.p_vaddr + s.p_memsz)
      segment = &s;
  if (!segment || segment->p_vaddr != section->sh_addr ||
      segment->p_filesz != 0 || segment->p_memsz != section->sh_size ||
      section->sh_size != layout.bytes)
    return unexpectedLayout("their segment holds something else");

  uint64_t at = llvm::alignTo(static_cast<uint64_t>(info.st_size),
                              std::max<uint64_t>(segment->p_align, pageBytes)) +
                segment->p_vaddr % std::max<uint64_t>(segment->p_align, 1);
  segment->p_offset = at;
  segment->p_filesz = segment->p_memsz;
  segment->p_flags = PF_R;
  section->sh_type = SHT_PROGBITS;
  section->sh_flags = SHF_ALLOC;
  section->sh_offset = at;
  if (!writeAt(fd, segments.data(), segments.size() * sizeof(Elf64_Phdr),
               header.e_phoff) ||
      !writeAt(fd, sections.data(), sections.size() * sizeof(Elf64_Shdr),
               header.e_shoff))
    return systemError("writing the tables");
  if (ftruncate(fd, at + layout.bytes) != 0)
    return systemError("growing the file");
  for (auto [bytes, offset] : llvm::zip_equal(weights, layout.offsets))
    if (!bytes.empty() && !writeAt(fd, bytes.data(), bytes.size(), at + offset))
      return systemError("writing the weights");
  return llvm::Error::success();
}
