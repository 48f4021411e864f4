//===- Calibration.cpp - The file of measured rates -----------------------===//
//
// Reads and writes it; see the header. Measuring is Exec's.
//
//===----------------------------------------------------------------------===//
#include "nestor/Target/Calibration.h"

#include "nestor/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/xxhash.h"

#include <cmath>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

using namespace nestor;
using llvm::StringRef;

static constexpr llvm::StringLiteral kFormat = "calibration 1";
/// No file of ours comes near; a larger one is somebody else's.
static constexpr uint64_t kMostBytes = 64 << 10;

static constexpr RateField fields[] = {
    {"fma_lanes", &Rates::fmaLanes, 1, 256, "lanes/cycle"},
    {"fma_latency", &Rates::fmaLatency, 1, 32, "cycles"},
    {"bf16_dot", &Rates::bf16Dot, 0.1, 32, "x f32"},
    {"int8_dot", &Rates::int8Dot, 0.1, 64, "x f32"},
    {"bf16_tile", &Rates::bf16Tile, 0, 256, "x f32"},
    {"int8_tile", &Rates::int8Tile, 0, 512, "x f32"},
    {"l1_bytes", &Rates::l1Bytes, 1, 1024, "B/cycle"},
    {"l2_bytes", &Rates::l2Bytes, 0.5, 1024, "B/cycle"},
    {"l3_bytes", &Rates::l3Bytes, 0.1, 512, "B/cycle"},
    {"memory_bytes", &Rates::memoryBytes, 0.05, 512, "B/cycle"},
    {"fork_cycles", &Rates::forkCycles, 50, 1e7, "cycles"},
    {"clock_ghz", &Rates::clockGHz, 0.1, 20, "GHz"},
};

llvm::ArrayRef<RateField> nestor::rateFields() { return fields; }

/// Family, model, stepping and vendor; whatever an Arm machine says instead.
static std::string cpuSignature() {
#if defined(__x86_64__)
  uint32_t a = 0, b = 0, c = 0, d = 0, vendor = 0;
  __get_cpuid(1, &a, &b, &c, &d);
  __get_cpuid(0, &b, &vendor, &c, &d);
  return llvm::utohexstr(vendor) + "." + llvm::utohexstr(a);
#else
  auto text = llvm::MemoryBuffer::getFileAsStream(
      "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1");
  return text ? (*text)->getBuffer().trim().str() : "";
#endif
}

std::string nestor::machineKey(const Target &host) {
  return (host.isX86() ? "x86-64 " : "aarch64 ") + cpuSignature() + " " +
         host.requiredFeatures() + " " + llvm::utostr(host.l1Bytes) + " " +
         llvm::utostr(host.l2Bytes) + " " + llvm::utostr(host.l3Bytes) + " " +
         llvm::utostr(host.cores);
}

static std::string hashOf(StringRef text) {
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true, 16);
}

/// What NESTOR_CALIBRATION says; empty for nothing.
static StringRef override() {
  const char *text = std::getenv("NESTOR_CALIBRATION");
  return text ? text : "";
}

std::string nestor::calibrationFile(const Target &host) {
  if (!override().empty() && override() != "off")
    return override().str();
  llvm::SmallString<128> path;
  const char *cache = std::getenv("XDG_CACHE_HOME");
  const char *home = std::getenv("HOME");
  // The standard asks to ignore relative ones.
  if (cache && llvm::sys::path::is_absolute(cache))
    path = cache;
  else if (home && *home)
    llvm::sys::path::append(path, home, ".cache");
  else
    return "";
  llvm::sys::path::append(path, "nestor",
                          "calibration-" + hashOf(machineKey(host)) + ".json");
  return path.str().str();
}

/// The rates of a file's text, or why they are not taken.
static llvm::Expected<Rates> parse(StringRef text, const Target &host) {
  auto refuse = [](const llvm::Twine &why) {
    return makeError(ErrorKind::Damaged, why);
  };
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value)
    return refuse("it is not JSON: " + llvm::toString(value.takeError()));
  const llvm::json::Object *file = value->getAsObject();
  if (!file || file->getString("nestor") != StringRef(kFormat))
    return refuse("it is not a calibration of this version");
  if (file->getString("key") != StringRef(machineKey(host)))
    return refuse("it is of another machine");
  const llvm::json::Object *values = file->getObject("rates");
  if (!values)
    return refuse("it holds no rates");
  Rates rates;
  for (const RateField &field : fields) {
    std::optional<double> number = values->getNumber(field.name);
    if (!number)
      return refuse("it lacks '" + field.name + "'");
    if (!(*number >= field.least && *number <= field.most))
      return refuse("'" + field.name + "' is out of range");
    rates.*field.field = *number;
  }
  return rates;
}

Calibration nestor::readCalibration(const Target &host) {
  Calibration result;
  if (override() == "off") {
    result.state = Calibration::Off;
    return result;
  }
  result.file = calibrationFile(host);
  if (result.file.empty() || !llvm::sys::fs::exists(result.file))
    return result;
  result.state = Calibration::Ignored;
  llvm::sys::fs::file_status status;
  if (llvm::sys::fs::status(result.file, status) ||
      status.type() != llvm::sys::fs::file_type::regular_file ||
      status.getSize() > kMostBytes) {
    result.note = "it is no small file";
    return result;
  }
  auto text = llvm::MemoryBuffer::getFile(result.file);
  if (!text) {
    result.note = text.getError().message();
    return result;
  }
  llvm::Expected<Rates> rates = parse((*text)->getBuffer(), host);
  if (!rates) {
    result.note = takeError(rates.takeError()).second;
    return result;
  }
  result.state = Calibration::Used;
  result.rates = *rates;
  return result;
}

llvm::Expected<std::string> nestor::writeCalibration(const Target &host,
                                                     const Rates &rates) {
  std::string path = calibrationFile(host);
  if (path.empty())
    return makeError(ErrorKind::Unreadable,
                     "there is no cache directory: set XDG_CACHE_HOME or HOME");
  llvm::json::Object values;
  for (const RateField &field : fields)
    values[field.name] = rates.*field.field;
  llvm::json::Value file = llvm::json::Object{{"nestor", kFormat},
                                              {"key", machineKey(host)},
                                              {"rates", std::move(values)}};
  StringRef folder = llvm::sys::path::parent_path(path);
  if (!folder.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(folder))
      return makeError(ErrorKind::Unreadable,
                       "cannot make " + folder + ": " + code.message());
  llvm::Error error =
      llvm::writeToOutput(path, [&](llvm::raw_ostream &os) -> llvm::Error {
        os << llvm::formatv("{0:2}\n", file);
        return llvm::Error::success();
      });
  if (error)
    return makeError(ErrorKind::Unreadable,
                     "cannot write " + path + ": " +
                         llvm::toString(std::move(error)));
  return path;
}

std::string nestor::fingerprint(const Rates &rates) {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const RateField &field : fields)
    os << llvm::format("%.6g ", rates.*field.field);
  return hashOf(text).substr(0, 8);
}
