//===- Target.cpp - What a machine is, as data ----------------------------===//
//
// Reads target names and the host's CPUID into a Target. The host's LLVM CPU
// is the highest feature level it has, never the name it reports: one machine
// was seen to call itself `rocketlake` with AMX present.
//
//===----------------------------------------------------------------------===//
#include "nestor/Target/Target.h"
#include "Tables.h"
#include "nestor/Support/Error.h"
#include "nestor/Target/Calibration.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>
#include <sched.h>
#include <unistd.h>

using namespace nestor;
using llvm::StringRef;

namespace {

using Names = llvm::StringSet<>;

const Feature *findFeature(Arch arch, StringRef name) {
  for (const Feature &feature : featureTable())
    if (feature.arch == arch && feature.name == name)
      return &feature;
  return nullptr;
}

/// Adds `name` and all that it implies.
void enable(Names &set, Arch arch, StringRef name) {
  const Feature *feature = findFeature(arch, name);
  if (!feature || !set.insert(name).second)
    return;
  for (StringRef implied : llvm::split(feature->implies, ','))
    enable(set, arch, implied);
}

/// Removes `name` and all that implies it.
void disable(Names &set, Arch arch, StringRef name) {
  set.erase(name);
  for (const Feature &feature : featureTable())
    if (feature.arch == arch && set.contains(feature.name) &&
        llvm::is_contained(llvm::split(feature.implies, ','), name))
      disable(set, arch, feature.name);
}

bool containsAll(const Names &set, Arch arch, StringRef list) {
  Names needed;
  for (StringRef name : llvm::split(list, ','))
    enable(needed, arch, name);
  return llvm::all_of(
      needed, [&](const auto &entry) { return set.contains(entry.getKey()); });
}

Names hostFeatures(Arch arch) {
  Names set;
  llvm::StringMap<bool> found = llvm::sys::getHostCPUFeatures();
  for (const Feature &feature : featureTable())
    if (feature.arch == arch && found.lookup(feature.name))
      set.insert(feature.name);
  if (arch == Arch::AArch64)
    set.insert("neon");
  // What the table implies must be there too, or the feature is unusable.
  for (const Feature &feature : featureTable())
    if (feature.arch == arch && set.contains(feature.name) &&
        !containsAll(set, arch, feature.implies))
      disable(set, arch, feature.name);
  return set;
}

/// Sets the feature list and all that follows from it.
void finish(Target &target, const Names &set) {
  target.features.clear();
  for (const auto &entry : set)
    target.features.push_back(entry.getKey().str());
  llvm::sort(target.features);

  target.triple =
      target.isX86() ? "x86_64-unknown-linux-gnu" : "aarch64-unknown-linux-gnu";
  target.vectorBits = 128;
  target.vectorRegisters = target.isX86() ? 16 : 32;
  for (const Feature &feature : featureTable())
    if (feature.arch == target.arch && set.contains(feature.name)) {
      target.vectorBits = std::max(target.vectorBits, feature.vectorBits);
      target.vectorRegisters =
          std::max(target.vectorRegisters, feature.vectorRegisters);
    }

  target.rates = shippedRates(target);
  target.calibration.clear();
}

Arch hostArch() {
#if defined(__aarch64__)
  return Arch::AArch64;
#else
  return Arch::X86_64;
#endif
}

unsigned usableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0)
    return 1;
  return std::max(1, CPU_COUNT(&set));
}

/// A small file of the kernel's; empty where there is none.
std::string readLine(const llvm::Twine &path) {
  auto text = llvm::MemoryBuffer::getFileAsStream(path);
  return text ? (*text)->getBuffer().trim().str() : "";
}

/// The caches of the first core. The C library counts those of a whole socket
/// as one on some machines, so the kernel is asked first.
void readCaches(Target &target) {
  uint64_t *sizes[] = {&target.l1Bytes, &target.l2Bytes, &target.l3Bytes};
  int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE,
                 _SC_LEVEL3_CACHE_SIZE};
  for (auto [size, name] : llvm::zip_equal(sizes, names))
    if (long value = sysconf(name); value > 0)
      *size = static_cast<uint64_t>(value);
  for (int index = 0; index < 8; ++index) {
    std::string folder =
        "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index);
    unsigned level;
    uint64_t kilobytes;
    std::string text = readLine(folder + "/size");
    StringRef size = text;
    if (StringRef(readLine(folder + "/level")).getAsInteger(10, level) ||
        level < 1 || level > 3 || readLine(folder + "/type") == "Instruction" ||
        !size.consume_back("K") || size.getAsInteger(10, kilobytes) ||
        kilobytes == 0)
      continue;
    *sizes[level - 1] = kilobytes << 10;
  }
}

llvm::Error unknownTarget(StringRef name) {
  return makeError(ErrorKind::TargetMissing,
                   "unknown target '" + name + "'; known targets: " +
                       llvm::join(Target::knownNames(), ", ") +
                       " (each may be followed by +feature or -feature)");
}

} // namespace

Target Target::host() {
  Target target;
  target.name = "host";
  target.arch = hostArch();
  Names set = hostFeatures(target.arch);
  if (target.arch == Arch::AArch64) {
    target.cpu = "generic";
  } else {
    target.cpu = "x86-64";
    for (unsigned level : {2u, 3u, 4u})
      if (containsAll(set, target.arch, levelFeatures(level)))
        target.cpu = "x86-64-v" + llvm::utostr(level);
  }
  finish(target, set);
  readCaches(target);
  target.cores = usableCores();
  Calibration measured = readCalibration(target);
  if (measured.state == Calibration::Used) {
    target.rates = measured.rates;
    target.calibration = fingerprint(measured.rates);
  }
  return target;
}

std::vector<StringRef> Target::knownNames() {
  std::vector<StringRef> names{"host"};
  for (const KnownTarget &known : knownTargets())
    names.push_back(known.name);
  return names;
}

/// Splits "armv8.6-a+sve-bf16" into its base and its changes. A '-' opens a
/// change only when a feature's name follows, as base names hold '-' too.
static StringRef takeBase(StringRef text) {
  StringRef best;
  for (StringRef name : Target::knownNames())
    if (text.starts_with(name) && name.size() > best.size() &&
        (text.size() == name.size() || text[name.size()] == '+' ||
         text[name.size()] == '-'))
      best = name;
  return best;
}

llvm::Expected<Target> Target::parse(StringRef text) {
  StringRef base = takeBase(text);
  if (base.empty())
    return unknownTarget(text);

  Target target;
  if (base == "host") {
    target = host();
  } else {
    const KnownTarget *known = llvm::find_if(
        knownTargets(), [&](const KnownTarget &k) { return k.name == base; });
    target.arch = known->arch;
    target.cpu = known->cpu.str();
    target.l1Bytes = known->l1Bytes;
    target.l2Bytes = known->l2Bytes;
    target.l3Bytes = known->l3Bytes;
    target.cores = usableCores();
    Names set;
    for (StringRef name : llvm::split(known->features, ','))
      enable(set, target.arch, name);
    finish(target, set);
  }
  target.name = text.str();

  StringRef rest = text.drop_front(base.size());
  if (rest.empty())
    return target;
  Names set;
  for (const std::string &name : target.features)
    set.insert(name);
  while (!rest.empty()) {
    bool add = rest.front() == '+';
    rest = rest.drop_front();
    // The longest feature that the rest starts with: names may hold '-'.
    const Feature *found = nullptr;
    for (const Feature &feature : featureTable())
      if (feature.arch == target.arch && rest.starts_with(feature.name) &&
          (!found || feature.name.size() > found->name.size()))
        found = &feature;
    StringRef after = found ? rest.drop_front(found->name.size()) : rest;
    if (!found ||
        (!after.empty() && after.front() != '+' && after.front() != '-'))
      return makeError(ErrorKind::Usage,
                       "unknown feature '" +
                           rest.take_until([](char c) { return c == '+'; }) +
                           "' in target '" + text + "'");
    if (add)
      enable(set, target.arch, found->name);
    else
      disable(set, target.arch, found->name);
    rest = after;
  }
  // A level that lost a feature is no longer a base to build on.
  if (target.isX86()) {
    target.cpu = "x86-64";
    for (unsigned level : {2u, 3u, 4u})
      if (containsAll(set, target.arch, levelFeatures(level)))
        target.cpu = "x86-64-v" + llvm::utostr(level);
  }
  finish(target, set);
  return target;
}

bool Target::has(StringRef feature) const {
  return std::binary_search(features.begin(), features.end(), feature);
}

std::string Target::llvmFeatures() const {
  std::string text;
  for (const std::string &feature : features)
    text += (text.empty() ? "+" : ",+") + feature;
  return text;
}

std::string Target::requiredFeatures() const {
  return llvm::join(features, ",");
}

std::string Target::missingHere() const {
  if (arch != hostArch())
    return isX86() ? "x86-64" : "aarch64";
  Names here = hostFeatures(arch);
  std::string text;
  for (const std::string &feature : features)
    if (!here.contains(feature))
      text += (text.empty() ? "" : ",") + feature;
  return text;
}

bool Target::runsHere() const { return missingHere().empty(); }

StringRef Target::kind() const {
  if (!isX86())
    return "neon";
  if (has("amx-tile"))
    return "amx";
  if (has("avx512f"))
    return "avx512";
  return has("avx2") ? "avx2" : "sse";
}

std::string Target::describe() const {
  // The features beyond the level say what sets the machine apart.
  Names level;
  if (isX86() && StringRef(cpu).starts_with("x86-64-v"))
    for (StringRef n : llvm::split(levelFeatures(cpu.back() - '0'), ','))
      enable(level, arch, n);
  std::string text = name + ": " + (isX86() ? cpu : std::string("aarch64"));
  for (const std::string &feature : features)
    if (!level.contains(feature))
      text += "+" + feature;
  text +=
      ", " + llvm::utostr(vectorRegisters) + " x " + llvm::utostr(vectorBits) +
      "-bit vectors, L1 " + llvm::utostr(l1Bytes >> 10) + " KB, L2 " +
      llvm::utostr(l2Bytes >> 10) + " KB, L3 " + llvm::utostr(l3Bytes >> 20) +
      " MB, " + llvm::utostr(cores) + (cores == 1 ? " core" : " cores");
  if (!calibration.empty())
    text += ", rates " + calibration;
  return text;
}
