//===- ArtefactFile.cpp - Checks before the dynamic loader ----------------===//
//
// Every offset read from the file is checked against its size before use, and
// every table is walked through `Reader`, which refuses to leave the image.
//
//===----------------------------------------------------------------------===//

#include "nestor/Runtime/ArtefactFile.h"

#include "nestor/Runtime/Abi.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <string_view>

namespace nestor::rt {
namespace {

Status damaged(const char *what) {
  return fail(Code::Damaged,
              "the artefact is damaged or is no artefact: %s; compile the "
              "model again",
              what);
}

/// Copies structs out of a byte range, bounds first.
struct Reader {
  const uint8_t *bytes;
  uint64_t size;

  bool inside(uint64_t offset, uint64_t length) const {
    return offset <= size && length <= size - offset;
  }
  template <typename T>
  bool read(uint64_t offset, T &out) const {
    if (!inside(offset, sizeof(T)))
      return false;
    memcpy(&out, bytes + offset, sizeof(T));
    return true;
  }
};

constexpr uint16_t hostMachine =
#if defined(__x86_64__)
    EM_X86_64;
#else
    EM_AARCH64;
#endif

bool relocationRunsCode(uint32_t type) {
#if defined(__x86_64__)
  return type == R_X86_64_IRELATIVE || type == R_X86_64_COPY;
#else
  return type == R_AARCH64_IRELATIVE || type == R_AARCH64_COPY;
#endif
}

/// The parts of the dynamic section that are followed.
struct Dynamic {
  uint64_t symtab = 0, strtab = 0, strsz = 0, hash = 0, gnuHash = 0;
  uint64_t rela = 0, relasz = 0, jmprel = 0, pltrelsz = 0;
  uint64_t relr = 0, relrsz = 0;
};

class Checker {
public:
  Checker(const uint8_t *bytes, uint64_t size, ArtefactLayout &layout)
      : file{bytes, size}, layout(layout) {}

  Status run();

private:
  Status header();
  Status segments();
  Status dynamicSection();
  Status symbols();
  Status relocations(uint64_t address, uint64_t bytes);
  /// File offset of `length` bytes at virtual address `address`.
  bool toOffset(uint64_t address, uint64_t length, uint64_t &offset) const;
  bool inMemory(uint64_t address, uint64_t length, bool writable) const;

  static constexpr unsigned maxSegments = 64;
  Reader file;
  ArtefactLayout &layout;
  Elf64_Ehdr elf = {};
  Elf64_Phdr loads[maxSegments];
  unsigned numLoads = 0;
  Elf64_Phdr dynamicSegment = {};
  Dynamic dyn;
  uint64_t numSymbols = 0;
};

Status Checker::header() {
  if (!file.read(0, elf))
    return damaged("it is shorter than an ELF header");
  if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0)
    return damaged("it does not start as an ELF file");
  if (elf.e_ident[EI_CLASS] != ELFCLASS64 ||
      elf.e_ident[EI_DATA] != ELFDATA2LSB ||
      elf.e_ident[EI_VERSION] != EV_CURRENT || elf.e_version != EV_CURRENT)
    return damaged("it is no 64-bit little-endian ELF file");
  if (elf.e_type != ET_DYN)
    return damaged("it is no shared object");
  if (elf.e_machine != hostMachine)
    return fail(Code::TargetMissing,
                "the artefact is for another architecture (ELF machine %u, "
                "this machine is %u); compile the model for this one",
                unsigned(elf.e_machine), unsigned(hostMachine));
  if (elf.e_ehsize != sizeof(Elf64_Ehdr) ||
      elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum == 0 ||
      elf.e_phnum > maxSegments)
    return damaged("its program headers have impossible sizes");
  if (!file.inside(elf.e_phoff, uint64_t(elf.e_phnum) * sizeof(Elf64_Phdr)))
    return damaged("its program headers lie outside the file");
  if (elf.e_shnum != 0 &&
      (elf.e_shentsize != sizeof(Elf64_Shdr) ||
       !file.inside(elf.e_shoff, uint64_t(elf.e_shnum) * sizeof(Elf64_Shdr))))
    return damaged("its section headers lie outside the file");
  for (unsigned i = 0; i < elf.e_shnum; ++i) {
    Elf64_Shdr section;
    file.read(elf.e_shoff + i * sizeof(Elf64_Shdr), section);
    if (section.sh_type != SHT_NOBITS && section.sh_type != SHT_NULL &&
        !file.inside(section.sh_offset, section.sh_size))
      return damaged("a section lies outside the file");
  }
  return Status::success();
}

Status Checker::segments() {
  uint64_t lastEnd = 0;
  for (unsigned i = 0; i < elf.e_phnum; ++i) {
    Elf64_Phdr segment;
    file.read(elf.e_phoff + i * sizeof(Elf64_Phdr), segment);
    if (segment.p_type == PT_INTERP)
      return damaged("it names a program interpreter");
    if (segment.p_type == PT_TLS)
      return damaged("it has thread-local storage");
    if (segment.p_type == PT_DYNAMIC)
      dynamicSegment = segment;
    if (segment.p_filesz != 0 &&
        !file.inside(segment.p_offset, segment.p_filesz))
      return damaged("a segment lies outside the file");
    if (segment.p_type != PT_LOAD)
      continue;
    uint64_t end;
    if (segment.p_filesz > segment.p_memsz ||
        __builtin_add_overflow(segment.p_vaddr, segment.p_memsz, &end) ||
        end > uint64_t(1) << 46 || segment.p_vaddr < lastEnd ||
        segment.p_align < 4096 || (segment.p_align & (segment.p_align - 1)) ||
        segment.p_align > uint64_t(1) << 30 ||
        (segment.p_vaddr - segment.p_offset) % segment.p_align != 0)
      return damaged("a segment has an impossible address or size");
    // Memory without bytes in the file is zeroed at load: bound it.
    if (segment.p_memsz - segment.p_filesz > uint64_t(1) << 28)
      return damaged("a segment asks for too much memory");
    lastEnd = end;
    loads[numLoads++] = segment;
  }
  if (numLoads == 0 || dynamicSegment.p_type != PT_DYNAMIC)
    return damaged("it has no loadable or no dynamic segment");
  return Status::success();
}

bool Checker::toOffset(uint64_t address, uint64_t length,
                       uint64_t &offset) const {
  for (unsigned i = 0; i < numLoads; ++i) {
    const Elf64_Phdr &s = loads[i];
    if (address >= s.p_vaddr && address - s.p_vaddr <= s.p_filesz &&
        length <= s.p_filesz - (address - s.p_vaddr)) {
      offset = s.p_offset + (address - s.p_vaddr);
      return true;
    }
  }
  return false;
}

bool Checker::inMemory(uint64_t address, uint64_t length, bool writable) const {
  for (unsigned i = 0; i < numLoads; ++i) {
    const Elf64_Phdr &s = loads[i];
    if (address >= s.p_vaddr && address - s.p_vaddr <= s.p_memsz &&
        length <= s.p_memsz - (address - s.p_vaddr))
      return !writable || (s.p_flags & PF_W);
  }
  return false;
}

Status Checker::dynamicSection() {
  // The loader reads it through its address, so the address must be right.
  uint64_t offset;
  uint64_t count = dynamicSegment.p_filesz / sizeof(Elf64_Dyn);
  if (count == 0 ||
      !toOffset(dynamicSegment.p_vaddr, dynamicSegment.p_filesz, offset))
    return damaged("its dynamic section lies outside the image");
  bool ended = false;
  for (uint64_t i = 0; i < count && !ended; ++i) {
    Elf64_Dyn entry;
    file.read(offset + i * sizeof(Elf64_Dyn), entry);
    uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
    case DT_NULL:
      ended = true;
      break;
    case DT_NEEDED:
      return damaged("it needs another library");
    case DT_INIT:
    case DT_FINI:
    case DT_PREINIT_ARRAY:
    case DT_INIT_ARRAY:
    case DT_FINI_ARRAY:
      return damaged("it has constructors or destructors");
    case DT_AUDIT:
    case DT_DEPAUDIT:
    case DT_FILTER:
    case DT_AUXILIARY:
    case DT_REL:
    case DT_TEXTREL:
      return damaged("its dynamic section has entries that no artefact has");
    case DT_FLAGS:
      if (value & DF_TEXTREL)
        return damaged("it relocates its code");
      break;
    case DT_SYMENT:
      if (value != sizeof(Elf64_Sym))
        return damaged("its symbols have an impossible size");
      break;
    case DT_RELAENT:
      if (value != sizeof(Elf64_Rela))
        return damaged("its relocations have an impossible size");
      break;
    case DT_SYMTAB:
      dyn.symtab = value;
      break;
    case DT_STRTAB:
      dyn.strtab = value;
      break;
    case DT_STRSZ:
      dyn.strsz = value;
      break;
    case DT_HASH:
      dyn.hash = value;
      break;
    case DT_GNU_HASH:
      dyn.gnuHash = value;
      break;
    case DT_RELA:
      dyn.rela = value;
      break;
    case DT_RELASZ:
      dyn.relasz = value;
      break;
    case DT_JMPREL:
      dyn.jmprel = value;
      break;
    case DT_PLTRELSZ:
      dyn.pltrelsz = value;
      break;
    case DT_RELR:
      dyn.relr = value;
      break;
    case DT_RELRSZ:
      dyn.relrsz = value;
      break;
    default:
      break;
    }
  }
  if (!ended)
    return damaged("its dynamic section has no end");
  return Status::success();
}

Status Checker::symbols() {
  uint64_t offset;
  // The number of symbols stands in the hash tables only.
  if (dyn.hash) {
    uint32_t header[2];
    if (!toOffset(dyn.hash, sizeof header, offset) ||
        !file.read(offset, header) || header[0] == 0 ||
        !toOffset(dyn.hash, 8 + 4 * (uint64_t(header[0]) + header[1]), offset))
      return damaged("its symbol hash table lies outside the image");
    numSymbols = header[1];
  }
  if (dyn.gnuHash) {
    uint32_t header[4]; // buckets, first symbol, bloom words, shift
    if (!toOffset(dyn.gnuHash, sizeof header, offset) ||
        !file.read(offset, header) || header[0] == 0 || header[2] == 0 ||
        (header[2] & (header[2] - 1)))
      return damaged("its symbol hash table is malformed");
    uint64_t buckets = dyn.gnuHash + 16 + 8 * uint64_t(header[2]);
    uint64_t chains = buckets + 4 * uint64_t(header[0]);
    if (!toOffset(dyn.gnuHash, chains - dyn.gnuHash, offset))
      return damaged("its symbol hash table lies outside the image");
    uint64_t count = header[1];
    for (uint32_t i = 0; i < header[0]; ++i) {
      uint32_t symbol, link = 0;
      if (!toOffset(buckets + 4 * uint64_t(i), 4, offset) ||
          !file.read(offset, symbol))
        return damaged("its symbol hash table lies outside the image");
      if (symbol == 0)
        continue;
      if (symbol < header[1])
        return damaged("its symbol hash table is malformed");
      do {
        if (!toOffset(chains + 4 * uint64_t(symbol - header[1]), 4, offset) ||
            !file.read(offset, link))
          return damaged("a symbol hash chain leaves the image");
        ++symbol;
        count = std::max<uint64_t>(count, symbol);
      } while (!(link & 1));
    }
    numSymbols = std::max(numSymbols, count);
  }
  uint64_t symbols, strings;
  if (numSymbols == 0 || numSymbols > 1u << 20 ||
      !toOffset(dyn.symtab, numSymbols * sizeof(Elf64_Sym), symbols) ||
      dyn.strsz == 0 || !toOffset(dyn.strtab, dyn.strsz, strings) ||
      file.bytes[strings + dyn.strsz - 1] != 0)
    return damaged("its symbol table lies outside the image");
  for (uint64_t i = 1; i < numSymbols; ++i) {
    Elf64_Sym symbol;
    file.read(symbols + i * sizeof(Elf64_Sym), symbol);
    if (symbol.st_name >= dyn.strsz)
      return damaged("a symbol has no name");
    if (ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)
      return damaged("it has code that runs at load");
    if (symbol.st_shndx == SHN_UNDEF)
      continue;
    if (!inMemory(symbol.st_value, symbol.st_size, false))
      return damaged("a symbol lies outside the image");
    std::string_view name(
        reinterpret_cast<const char *>(file.bytes + strings + symbol.st_name));
    if (name == NST_MODEL_SYMBOL) {
      uint64_t model;
      if (symbol.st_size < offsetof(nst_model, run) + sizeof(void *) ||
          !toOffset(symbol.st_value, symbol.st_size, model))
        return damaged("its nst_model is too small");
      layout.hasModel = true;
    } else if (name == NST_WEIGHTS_SYMBOL) {
      if (!toOffset(symbol.st_value, symbol.st_size, layout.weightsOffset))
        return damaged("its weights lie outside the file");
      layout.weightsBytes = symbol.st_size;
    }
  }
  if (!layout.hasModel)
    return damaged("it exports no nst_model");
  return Status::success();
}

Status Checker::relocations(uint64_t address, uint64_t bytes) {
  if (bytes == 0)
    return Status::success();
  uint64_t offset;
  if (bytes % sizeof(Elf64_Rela) || !toOffset(address, bytes, offset))
    return damaged("its relocations lie outside the image");
  for (uint64_t at = 0; at < bytes; at += sizeof(Elf64_Rela)) {
    Elf64_Rela rela;
    file.read(offset + at, rela);
    if (relocationRunsCode(ELF64_R_TYPE(rela.r_info)))
      return damaged("it has code that runs at load");
    if (ELF64_R_SYM(rela.r_info) >= numSymbols ||
        !inMemory(rela.r_offset, 8, true))
      return damaged("a relocation leaves the image");
  }
  return Status::success();
}

Status Checker::run() {
  for (auto step : {&Checker::header, &Checker::segments,
                    &Checker::dynamicSection, &Checker::symbols})
    if (Status status = (this->*step)(); !status.ok())
      return status;
  if (Status status = relocations(dyn.rela, dyn.relasz); !status.ok())
    return status;
  if (Status status = relocations(dyn.jmprel, dyn.pltrelsz); !status.ok())
    return status;
  // Packed relative relocations: addresses and bitmaps of 63 words after them.
  if (dyn.relrsz) {
    uint64_t offset, at = 0;
    if (dyn.relrsz % 8 || !toOffset(dyn.relr, dyn.relrsz, offset))
      return damaged("its relocations lie outside the image");
    for (uint64_t i = 0; i < dyn.relrsz; i += 8) {
      uint64_t word;
      file.read(offset + i, word);
      if (!(word & 1)) {
        if (!inMemory(word, 8, true))
          return damaged("a relocation leaves the image");
        at = word + 8;
        continue;
      }
      for (uint64_t bit = 1; bit < 64; ++bit)
        if ((word >> bit & 1) && !inMemory(at + (bit - 1) * 8, 8, true))
          return damaged("a relocation leaves the image");
      at += 63 * 8;
    }
  }
  return Status::success();
}

} // namespace

Status checkElfImage(const uint8_t *bytes, size_t size,
                     ArtefactLayout &layout) {
  layout.imageBytes = size;
  return Checker(bytes, size, layout).run();
}

} // namespace nestor::rt
