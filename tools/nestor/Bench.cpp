// nestor bench MODEL: latency of whole runs in the steady state.

#include "Command.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sys/resource.h>

namespace {

struct Options {
  ModelOptions model;
  InputOptions inputs;
  double time = 0;
  int64_t runs = 0;
};

/// The value below which `share` of the sorted `times` lie.
double percentile(const std::vector<double> &times, double share) {
  double at = share * double(times.size() - 1);
  size_t low = size_t(at);
  size_t high = std::min(low + 1, times.size() - 1);
  return times[low] + (times[high] - times[low]) * (at - double(low));
}

/// True when the 95 % confidence interval of the median (by order statistics)
/// is narrower than 2 % of it.
bool settled(std::vector<double> times) {
  if (times.size() < 20)
    return false;
  std::sort(times.begin(), times.end());
  double n = double(times.size());
  double reach = 0.98 * std::sqrt(n) / n;
  double low = percentile(times, 0.5 - reach);
  double high = percentile(times, std::min(1.0, 0.5 + reach));
  return high - low < 0.02 * percentile(times, 0.5);
}

int bench(const Options &options, const Common &common) {
  auto source = openSource(common, options.model);
  if (!source)
    return complain(common, source.failure());
  const nestor::Program &program = source->program;
  auto inputs = makeInputs(program, options.inputs, options.model.parseDims());
  if (!inputs)
    return complain(common, inputs.failure());
  int threads = options.model.threads > 0
                    ? options.model.threads
                    : nestor::inspectHost().defaultThreads;
  auto session = program.session({threads});
  if (!session)
    return complain(common, session.failure());

  auto once = [&](double &seconds) {
    double start = now();
    auto done = session->runOnly(*inputs);
    seconds = now() - start;
    return done;
  };
  double first;
  if (auto done = once(first); !done)
    return complain(common, done.failure());
  // Warm up: caches, pages and the clock; a tenth of the measuring time.
  double limit = options.time > 0 ? options.time : 10;
  double warm = std::min(0.1 * limit, 0.3), seconds;
  for (double end = now() + warm; now() < end;)
    if (auto done = once(seconds); !done)
      return complain(common, done.failure());

  std::vector<double> times;
  double start = now(), nextLook = 0.25;
  for (;;) {
    if (auto done = once(seconds); !done)
      return complain(common, done.failure());
    times.push_back(seconds);
    double elapsed = now() - start;
    bool few = times.size() < 5;
    if (options.runs > 0) {
      if (int64_t(times.size()) >= options.runs)
        break;
    } else if (elapsed >= limit && !few) {
      break;
    } else if (options.time <= 0 && elapsed > nextLook) {
      if (settled(times))
        break;
      nextLook = elapsed + 0.25;
    }
  }
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (double t : times)
    sum += t;
  double median = percentile(times, 0.5);
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);

  double p90 = percentile(times, 0.9), p99 = percentile(times, 0.99);
  double mean = sum / double(times.size());
  double rss = double(usage.ru_maxrss) / 1024;
  if (common.json) {
    printf("%s\n",
           Json::object()
               .add("model", options.model.model)
               .add("median_ms", median * 1e3)
               .add("p90_ms", p90 * 1e3)
               .add("p99_ms", p99 * 1e3)
               .add("min_ms", times.front() * 1e3)
               .add("mean_ms", mean * 1e3)
               .add("first_ms", first * 1e3)
               .add("n", times.size())
               .add("threads", threads)
               .add("cpu", nestor::cpuKind())
               .add("target", program.target())
               .add("compile_s", source->compiled ? source->seconds : 0.0)
               .add("load_ms", source->compiled ? 0.0 : source->seconds * 1e3)
               .add("peak_rss_mb", rss)
               .text()
               .c_str());
    return ExitOk;
  }
  printf("latency: median %.4g ms, p90 %.4g, p99 %.4g, min %.4g, mean %.4g "
         "(%zu runs, %d threads, %s)\n",
         median * 1e3, p90 * 1e3, p99 * 1e3, times.front() * 1e3, mean * 1e3,
         times.size(), threads, nestor::cpuKind().c_str());
  printf("throughput: %.4g runs/s; first run %.4g ms; %s %.3f s; peak %.0f "
         "MB\n",
         1 / mean, first * 1e3, source->compiled ? "compiled in" : "loaded in",
         source->seconds, rss);
  return ExitOk;
}

} // namespace

Body declareBench(CLI::App &app, const Common &common) {
  auto options = std::make_shared<Options>();
  options->model.add(app);
  options->inputs.add(app);
  app.add_option("--time", options->time,
                 "Measure for this many seconds (default: until the median is "
                 "known to 2 %, at most 10)")
      ->check(CLI::PositiveNumber);
  app.add_option("--runs", options->runs, "Measure this many runs")
      ->check(CLI::PositiveNumber);
  return [options, &common] { return bench(*options, common); };
}
