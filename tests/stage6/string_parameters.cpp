#include "stage6/string_parameters.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <typeinfo>

namespace asyncio::testing {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Whether the path, below the folder, is a user's header. The optional libraries have their own tests.
bool is_public(const std::filesystem::path& file) {
  bool found = false;
  for (const auto& part : file) {
    if (part == "detail") return false;
    found = found || part == "asyncio";
  }
  return found && *file.begin() != "http" && *file.begin() != "ssl";
}

std::string to_text(Fate fate) { return fate == Fate::whole ? "whole" : fate == Fate::refused ? "refused" : "failed"; }

Coro<std::string> fate_of(const StringParameter& parameter, std::string text) {
  try {
    const bool whole = co_await parameter.use(std::move(text));
    co_return whole ? "whole" : "something else arrived";
  } catch (const std::invalid_argument&) {
    co_return "refused";
  } catch (const std::runtime_error& error) {
    // std::system_error or http::ClientError. By name: this file does not include http.
    co_return typeid(error).name() == std::string_view("N7asyncio4http10InvalidURLE") ? "refused" : "failed";
  }
}

}  // namespace

std::set<std::string> string_parameters_of(const std::string& folder) {
  const std::regex comment("//[^\n]*");
  const std::string type =
      R"((?:const )?(?:std::(?:optional|vector|span)<(?:const )?)?(?:std::string(?:_view)?|Environment)>?[ &]+)";
  const std::regex parameter("[(,]\\s*" + type + "(\\w+)(?= *[,)=])");
  const std::regex member("\n  " + type + "(\\w+)(?: = [^;]*)?;");
  const std::regex function(R"((\w+)\([^()]*$)");
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".h" || !is_public(entry.path().lexically_relative(folder))) continue;
    const std::string text = std::regex_replace(text_of(entry.path()), comment, "");
    for (std::sregex_iterator match(text.begin(), text.end(), parameter), end; match != end; ++match) {
      const std::size_t at = static_cast<std::size_t>(match->position()) + 1;  // includes a bracket
      const std::size_t from = at < 400 ? 0 : at - 400;
      const std::string before = text.substr(from, at - from);
      std::smatch name;
      if (std::regex_search(before, name, function)) found.insert(name.str(1) + "(" + match->str(1) + ")");
    }
    for (std::sregex_iterator match(text.begin(), text.end(), member), end; match != end; ++match) {
      if (!match->str(1).ends_with('_')) found.insert("(" + match->str(1) + ")");
    }
  }
  return found;
}

void check_string_parameters(const std::string& folder, std::vector<StringParameter> table,
                             const std::set<std::string>& others) {
  std::set<std::string> named = others;
  for (const StringParameter& parameter : table) named.insert(parameter.name);
  const std::set<std::string> found = string_parameters_of(folder);
  for (const std::string& name : found) EXPECT_TRUE(named.contains(name)) << name << " has no row in the table";
  for (const std::string& name : others) EXPECT_TRUE(found.contains(name)) << name << " is not in the headers";
  EXPECT_GT(found.size(), 5u);

  run_io([&]() -> Coro<> {
    for (const StringParameter& parameter : table) {
      struct Trial {
        std::string what;
        std::string text;
        Fate fate;
      };
      std::vector<Trial> trials;
      trials.push_back(Trial{"NUL", std::string("a\0b", 3), parameter.nul});
      trials.push_back(Trial{"CR", "a\rb", parameter.cr});
      trials.push_back(Trial{"LF", "a\nb", parameter.lf});
      trials.push_back(Trial{"empty", "", parameter.empty});
      trials.push_back(Trial{"64 KiB", std::string(64 * 1024, 'x'), parameter.huge});
      trials.push_back(Trial{"invalid UTF-8",
                             "a\xff\xc0"
                             "b",
                             parameter.no_utf8});
      for (const Trial& trial : trials) {
        const std::string fate = co_await fate_of(parameter, trial.text);
        EXPECT_EQ(fate, to_text(trial.fate)) << parameter.name << ", " << trial.what;
      }
    }
  });
}

}  // namespace asyncio::testing
