// asyncio_compare: every stage's benchmarks in one program, and the tables and charts of `./stages compare`.
//
//   asyncio_compare [growth] [--svg=FILE] [--commit=TEXT] [--command=TEXT] [--benchmark_…]
//   asyncio_compare plain [--benchmark_…]        what Google Benchmark alone would do
//
// Files: the benchmarks are ../../stageN_…/bench.cpp, by_hand/stageN.cpp, growth.cpp, memory.cpp; measure.h is what
// they measure with; rows.cpp says what the tables show, table.cpp and chart.cpp how.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "measure.h"
#include "results.h"

namespace {

/// Nothing of ours: a chain of multiplications. What makes it vary is the machine.
void noise(benchmark::State& state) {
  std::uint64_t number = 1;
  for (auto _ : measure::Iterations(state, 1000)) {
    for (int i = 0; i < 1000; ++i) number = number * 6364136223846793005 + 1442695040888963407;
    benchmark::DoNotOptimize(number);
  }
}
MEASURE(machine, noise);

/// A bar on the terminal, of the time that this will take as far as is known before; nothing if stderr is a file.
class Progress {
 public:
  explicit Progress(std::chrono::seconds expected) : expected_(expected) {
    if (isatty(STDERR_FILENO)) thread_ = std::thread([this] { show(); });
  }
  ~Progress() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
    std::fprintf(stderr, "\r\033[K");
  }

 private:
  void show() {
    constexpr int kWidth = 40;
    const auto began = std::chrono::steady_clock::now();
    for (std::unique_lock lock(mutex_); !over_; changed_.wait_for(lock, std::chrono::seconds(1))) {
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
      const double part = std::min(elapsed / expected_, 0.99);
      const std::string done(static_cast<std::size_t>(part * kWidth), '#');
      std::fprintf(stderr, "\r[%-*s] %.0f s of about %ld s", kWidth, done.c_str(), elapsed.count(),
                   static_cast<long>(expected_.count()));
    }
  }

  std::chrono::seconds expected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

constexpr std::chrono::seconds kStagesTake{100},
    kGrowthTakes{240};  // roughly: for the bar, which shows the real time too

double load() {
  double one_minute = 0;
  return getloadavg(&one_minute, 1) == 1 ? one_minute : 0;
}

/// Takes `--name=` out of the arguments, and returns what follows it.
std::string take(std::vector<std::string>& arguments, std::string_view name) {
  std::string value;
  std::erase_if(arguments, [&](const std::string& argument) {
    const bool is_it = argument.starts_with(name);
    if (is_it) value = argument.substr(name.size());
    return is_it;
  });
  return value;
}

std::string machine() {
  std::string name;
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; name.empty() && std::getline(info, line);) {
    if (line.starts_with("model name")) name = line.substr(line.find(':') + 2);
  }
  if (name.empty()) {
    utsname system{};
    uname(&system);
    name = std::string(system.sysname) + " " + system.machine;
  }
  return name + ", " + std::to_string(std::thread::hardware_concurrency()) + " processors";
}

#ifdef __clang__
constexpr char kCompiler[] = __VERSION__;
#else
constexpr char kCompiler[] = "g++ " __VERSION__;
#endif
#ifdef __OPTIMIZE__
constexpr char kOptimised[] = "";
#else
constexpr char kOptimised[] = ", not optimised";
#endif

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> own(argv + 1, argv + argc);
  const bool plain = std::erase(own, "plain") > 0;
  const bool growth = std::erase(own, "growth") > 0;
  const std::string svg = take(own, "--svg=");
  const std::string commit = take(own, "--commit=");
  const std::string command = take(own, "--command=");

  // Every benchmark several times, in random order: what the machine does beside then hits all alike.
  // And once before it counts, so that the pools are full and the caches warm.
  std::vector<std::string> arguments(1, argv[0]);
  if (!plain) {
    arguments.push_back("--benchmark_enable_random_interleaving=true");
    arguments.push_back("--benchmark_min_warmup_time=0.001");
    arguments.push_back(growth ? "--benchmark_filter=^growth/"
                               : "--benchmark_filter=^(stage|memory|by_hand|mine|machine)");
    arguments.push_back(growth ? "--benchmark_repetitions=3" : "--benchmark_repetitions=9");
    arguments.push_back("--benchmark_min_time=0.02");
  }
  arguments.insert(arguments.end(), own.begin(), own.end());
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;

  const std::vector<std::string> about{machine() + " · " + kCompiler + kOptimised,
                                       (commit.empty() ? "" : commit + " · ") + command};
  benchmark::AddCustomContext("machine", machine());
  benchmark::AddCustomContext("compiler", std::string(kCompiler) + kOptimised);
  benchmark::AddCustomContext("commit", commit);
  benchmark::AddCustomContext("command", command);

  if (plain) return benchmark::RunSpecifiedBenchmarks() == 0;

  const double load_before = load();
  measure::Results results;
  {
    const Progress progress(growth ? kGrowthTakes : kStagesTake);
    if (benchmark::RunSpecifiedBenchmarks(&results) == 0) return 1;  // nothing matched the filter
  }
  for (const std::string& line : about) std::printf("%s\n", line.c_str());
  std::printf("\n");
  (growth ? measure::print_growth : measure::print_stages)(results);
  if (!growth) measure::print_noise(results, load_before);

  if (svg.empty()) return 0;
  std::ofstream file(svg);
  file << (growth ? measure::growth_chart : measure::stages_chart)(results, about);
  file.close();
  if (!file) return std::fprintf(stderr, "cannot write %s\n", svg.c_str()), 1;
}
