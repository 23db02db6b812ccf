// A string passed to a public function may become a C string, which ends at its first '\0', or a line, which ends at
// its first line break. The tests try each row of the table in strings_test.cpp (and http/strings_test.cpp), and
// compare the table with the headers: it must name every string parameter.
#pragma once

#include "support/io.h"

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace asyncio::testing {

/// The fate of a string.
enum class Fate {
  whole,    // used unchanged
  refused,  // std::invalid_argument (http::InvalidURL), before any effect
  failed,   // by the system: std::system_error; or http::ClientError
};

/// One parameter, and the fates of six critical strings in it. `use` throws, or returns false if the string arrived
/// changed.
struct StringParameter {
  std::string name;  // "open_connection(host)"
  std::function<Coro<bool>(std::string)> use;
  Fate nul = Fate::whole, cr = Fate::whole, lf = Fate::whole, empty = Fate::whole, huge = Fate::whole;
  Fate no_utf8 = Fate::whole;
};

/// "function(parameter)" for each string parameter, "(member)" for each public string member, in the headers below
/// `folder`, except in a folder detail/.
std::set<std::string> string_parameters_of(const std::string& folder);

/// Tries all rows, and compares the table with the headers; `others` are parameters that need no trial.
void check_string_parameters(const std::string& folder, std::vector<StringParameter> table,
                             const std::set<std::string>& others);

}  // namespace asyncio::testing
