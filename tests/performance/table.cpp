#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>
#include <string_view>
#include <utility>

#include "measure.h"
#include "results.h"
#include "rows.h"

namespace measure {
namespace {

std::optional<double> counter(const benchmark::BenchmarkReporter::Run& run, const char* name) {
  const auto found = run.counters.find(name);
  if (found == run.counters.end()) return std::nullopt;
  return found->second.value;
}

/// Right-aligned in `width` columns, which are not bytes: "×" has two.
void print_right(const std::string& text, int width) {
  const auto columns = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
  std::printf("%*s%s", std::max(0, width - static_cast<int>(columns)), "", text.c_str());
}

/// "?" if what it is to be divided by was not measured.
std::string ratio(const Results& results, const Result& over, const char* name) {
  if (*name == '\0') return "";
  const Result* const under = results.find(name);
  return under ? digits(over.ns / under->ns) + "×" : "?";
}

std::string count(std::optional<double> value) {
  if (!value) return "–";
  return *value < 0.005 ? "0" : digits(*value);
}

/// The median's confidence interval, from order alone: how the times are distributed does not matter. Of five
/// repetitions it is from the least to the greatest (94 %), of nine from the second to the last but one (96 %).
std::optional<double> uncertainty_of_median(std::vector<double> values, double median) {
  if (values.size() < 5) return std::nullopt;
  std::ranges::sort(values);
  const auto count = static_cast<double>(values.size());
  const auto left_out = static_cast<std::size_t>(count / 2 - 0.98 * std::sqrt(count));  // at each end
  return std::max(median - values[left_out], values[values.size() - 1 - left_out] - median) / median;
}

/// The small asyncios have benchmarks of the same names, and columns of their own.
struct Column {
  const char* prefix;
  const char* heading;
};
constexpr Column kColumns[] = {{"by_hand/", "by hand"}, {"mine/", "mine"}};

bool is_in_a_column(const std::string& name) {
  return std::ranges::any_of(kColumns, [&](const Column& column) { return name.starts_with(column.prefix); });
}

/// Those of which anything was measured.
std::vector<Column> columns_of(const Results& results) {
  std::vector<Column> columns;
  for (const Column& column : kColumns) {
    const auto next = results.all().lower_bound(column.prefix);
    if (next != results.all().end() && next->first.starts_with(column.prefix)) columns.push_back(column);
  }
  return columns;
}

void print_row(const Results& results, const Row& row, const Result& result) {
  std::printf("  %-44s", row.what);
  for (const Column& column : columns_of(results)) {
    const Result* const small = results.find(std::string(column.prefix) + row.benchmark);
    print_right(small ? digits(small->ns) : "", 9);
  }
  print_right(digits(result.ns), 11);
  print_right(result.uncertainty ? "±" + std::to_string(std::lround(*result.uncertainty * 100)) + "%" : "", 6);
  print_right(ratio(results, result, row.limit), 9);
  print_right(ratio(results, result, row.below), 13);
  print_right(count(result.allocations), 9);
  print_right(count(result.instructions), 14);
  std::printf("\n");
}

}  // namespace

void Results::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    std::string name = run.run_name.function_name;
    if (!run.run_name.args.empty()) name += "/" + run.run_name.args;
    const auto seconds = counter(run, "per_item");
    const auto bytes = counter(run, "bytes");
    if (seconds && run.aggregate_name.empty()) repetitions_[name].push_back(*seconds * 1e9);
    if ((seconds || bytes) && (run.aggregate_name == "median" || run.aggregate_name.empty())) {
      Result& result = by_name_[name];
      result.ns = seconds.value_or(0) * 1e9;
      result.bytes = bytes;
      result.allocations = counter(run, "allocations");
      result.instructions = counter(run, "instructions");
      if (seconds) result.uncertainty = uncertainty_of_median(repetitions_[name], result.ns);
    }
  }
}

std::string whole(double value) {
  std::string text = std::to_string(std::llround(value));
  for (auto comma = static_cast<int>(text.size()) - 3; comma > 0; comma -= 3)
    text.insert(static_cast<std::size_t>(comma), ",");
  return text;
}

std::string digits(double value) {
  if (value >= 99.95) return whole(value);
  char text[32];
  std::snprintf(text, sizeof text, value < 9.995 ? "%.2f" : "%.1f", value);
  return text;
}

std::string time_of(double ns) {
  if (ns < 999.5) return digits(ns) + " ns";
  if (ns < 999.5e3) return digits(ns / 1e3) + " µs";
  return digits(ns / 1e6) + " ms";
}

void print_stages(const Results& results) {
  std::printf("%-46s", "");
  for (const Column& column : columns_of(results)) std::printf("%9s", column.heading);
  std::printf("%11s%6s%9s%13s%9s%14s\n", "ns", "", "of limit", "stage below", "mallocs", "instructions");
  std::set<std::string_view> shown;
  const char* heading = nullptr;  // that waits for its first row
  for (const Row& row : stage_rows()) {
    shown.insert(row.benchmark);
    if (is_heading(row)) {
      heading = row.what;
    } else if (const Result* result = results.find(row.benchmark)) {
      if (heading) std::printf("%s\n", std::exchange(heading, nullptr));
      print_row(results, row, *result);
    }
  }
  heading = "Others";
  for (const auto& [name, result] : results.all()) {
    if (result.bytes || shown.contains(name) || is_in_a_column(name) || name == Results::kNoise) continue;
    if (heading) std::printf("%s\n", std::exchange(heading, nullptr));
    print_row(results, {name.c_str()}, result);
  }
  heading = "Memory, bytes of the heap";
  for (const Row& row : memory_rows()) {
    const Result* result = results.find(row.benchmark);
    if (!result || !result->bytes) continue;
    if (heading) std::printf("%s\n", std::exchange(heading, nullptr));
    std::printf("  %-44s", row.what);
    print_right(digits(*result->bytes), 11);
    std::printf("\n");
  }
  std::printf(
      "\nMedians, of processor time; ±: their confidence interval. \"of limit\": divided by the limit above, the same "
      "written bare. \"stage below\": "
      "divided by\nthe same job, or what the heading says, of a lower stage. mallocs: calls of operator new.\n"
      "by hand: nanoseconds of the small asyncio (stage*/by_hand/), which the stages grew out of.\n");
  if (why_no_instructions()) {
    std::printf("instructions: this machine does not count them (perf_event_open: %s).\n", why_no_instructions());
  }
}

void print_noise(const Results& results, double load) {
  constexpr double kQuiet = 0.03, kMostLoad = 0.5;
  const Result* const noise = results.find(Results::kNoise);
  if (noise && noise->uncertainty) {
    std::printf("\nThe machine's noise: a loop of multiplications, which is nothing of ours, took %s ns, ±%.1f %%.\n",
                digits(noise->ns).c_str(), *noise->uncertainty * 100);
  }
  const bool noisy = noise && noise->uncertainty.value_or(0) > kQuiet;
  if (!noisy && load < kMostLoad) return;
  std::printf("WARNING: this machine is not quiet");
  if (load >= kMostLoad) std::printf("; %.1f processes wanted to run before the benchmarks began", load);
  std::printf(". Differences as small as its noise mean nothing.\n");
}

// ── growth ──────────────────────────────────────────────────────────────────────────────────────────────────────────

void print_growth(const Results& results) {
  constexpr std::array<int, 6> kSizes = {10, 100, 1'000, 10'000, 100'000, 1'000'000};
  std::printf("%-30s", "ns for one of");
  for (const int size : kSizes) print_right(whole(size), 10);
  std::printf("%9s  %s\n", "growth", "allowed");
  const char* worst_name = "nothing";
  double worst = 0;
  for (const GrowthRow& row : growth_rows()) {
    const auto result_at = [&](int size) { return results.find(row.benchmark + ("/" + std::to_string(size))); };
    if (std::ranges::none_of(kSizes, result_at)) continue;  // not on this system
    std::printf("  %-28s", row.what);
    double least = INFINITY;  // by what is allowed
    double growth = 0;
    for (const int size : kSizes) {
      const Result* result = result_at(size);
      print_right(result ? digits(result->ns) : "–", 10);
      if (!result) continue;
      const double allowed = row.order == GrowthRow::logarithmic ? std::log2(size) : 1;
      least = std::min(least, result->ns / allowed);
      growth = std::max(growth, result->ns / allowed / least);
    }
    constexpr const char* kOrders[] = {"O(1)", "O(log n)", "O(n)"};
    print_right(growth > 0 ? digits(growth) + "×" : "–", 10);
    std::printf("  %s\n", kOrders[row.order]);
    if (row.order != GrowthRow::linear && growth > worst) {
      worst = growth;
      worst_name = row.what;
    }
  }
  std::printf(
      "\ngrowth: by how much one gets dearer at most when there are more of them; for O(log n), beyond the logarithm.\n"
      "The worst, apart from O(n): %s×, %s.\n",
      digits(worst).c_str(), worst_name);
}

}  // namespace measure
