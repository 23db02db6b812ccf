// The medians of a run of benchmarks, by name. Read next: table.cpp, chart.cpp
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace measure {

/// Of one thing that the benchmark does.
struct Result {
  double ns = 0;  // the median of the repetitions
  /// How far the median may be off, as a part of it: with a probability of at least 93 %, the true one lies within.
  std::optional<double> uncertainty;
  std::optional<double> allocations;
  std::optional<double> instructions;
  std::optional<double> bytes;
};

class Results : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;

  /// The benchmark that does nothing of ours: how much it varies is the machine's noise.
  static constexpr char kNoise[] = "machine/noise";

  /// Null if it was not run, or failed.
  const Result* find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, Result>& all() const { return by_name_; }

 private:
  std::map<std::string, Result> by_name_;
  std::map<std::string, std::vector<double>> repetitions_;  // they come first, and the median of them in a second call
};

/// "6.31", "15.5", "2,530": three digits that count.
std::string digits(double value);
/// "1,000,000"
std::string whole(double value);
/// "6.3 ns", "2.5 µs", "13 ms".
std::string time_of(double ns);

void print_stages(const Results& results);
/// What the noise row says of the machine; `load`: how many processes wanted to run before the benchmarks began.
void print_noise(const Results& results, double load);
void print_growth(const Results& results);

/// SVG, on a logarithmic scale, for light and dark pages. `about`: the lines under the title.
std::string stages_chart(const Results& results, const std::vector<std::string>& about);
std::string growth_chart(const Results& results, const std::vector<std::string>& about);

}  // namespace measure
