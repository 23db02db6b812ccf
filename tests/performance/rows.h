// What the tables show, and in which order. Read next: compare.cpp
#pragma once

#include <span>

namespace measure {

/// A line of the table of the stages. Without a benchmark it is a heading.
struct Row {
  const char* what;
  const char* benchmark = "";  // its name
  const char* limit = "";      // the benchmark that does the same written bare
  const char* below = "";      // the one that does the same with a lower stage
};

constexpr bool is_heading(const Row& row) { return *row.benchmark == '\0'; }

/// From the bare limit upwards; a benchmark that is not among them comes last, under its own name.
std::span<const Row> stage_rows();

/// A line of the table of growth: a benchmark with the sizes as its argument, and what its structure allows.
struct GrowthRow {
  const char* what;
  const char* benchmark;
  enum Order { constant, logarithmic, linear } order;
};

std::span<const GrowthRow> growth_rows();

/// The table of memory.
std::span<const Row> memory_rows();

}  // namespace measure
