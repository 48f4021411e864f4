// What the peers' programs share: options, files, and time.
#ifndef NESTOR_BENCHMARKS_PEERS_MEASURE_H
#define NESTOR_BENCHMARKS_PEERS_MEASURE_H

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace peer {

inline int fail(const std::string &why) {
  fprintf(stderr, "error: %s\n", why.c_str());
  return 1;
}

/// Arguments of the form name=value.
class Options {
public:
  Options(int argc, char **argv, int first) {
    for (int i = first; i < argc; ++i) {
      std::string text = argv[i];
      size_t at = text.find('=');
      if (at == std::string::npos)
        exit(fail(text + ": expected name=value"));
      values[text.substr(0, at)] = text.substr(at + 1);
    }
  }
  int64_t number(const std::string &name) const {
    return atoll(text(name).c_str());
  }
  int64_t number(const std::string &name, int64_t otherwise) const {
    return values.count(name) ? number(name) : otherwise;
  }
  double real(const std::string &name, double otherwise) const {
    return values.count(name) ? atof(text(name).c_str()) : otherwise;
  }
  std::string text(const std::string &name) const {
    auto found = values.find(name);
    if (found == values.end())
      exit(fail("no " + name + "= given"));
    return found->second;
  }
  bool has(const std::string &name) const { return values.count(name); }

private:
  std::map<std::string, std::string> values;
};

inline double now() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/// Seconds of each call of `run` after a warm-up: for `seconds`, at least 5.
template <typename Run>
std::vector<double> timesOf(double seconds, const Run &run) {
  for (double end = now() + std::min(0.1 * seconds, 0.3); now() < end;)
    run();
  std::vector<double> times;
  for (double end = now() + seconds; now() < end || times.size() < 5;) {
    double start = now();
    run();
    times.push_back(now() - start);
  }
  return times;
}

inline void readFile(const std::string &path, void *data, size_t bytes) {
  std::ifstream file(path, std::ios::binary);
  file.read(static_cast<char *>(data), std::streamsize(bytes));
  if (!file || file.peek() != EOF)
    exit(fail(path + " has not " + std::to_string(bytes) + " bytes"));
}

inline void writeFile(const std::string &path, const void *data, size_t bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char *>(data), std::streamsize(bytes));
  if (!file.flush())
    exit(fail("cannot write " + path));
}

} // namespace peer

#endif // NESTOR_BENCHMARKS_PEERS_MEASURE_H
