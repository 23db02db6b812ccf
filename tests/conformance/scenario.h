// The scenario language of README.md: programs as text, and as trees.
// Mirrors: scenario.py, beside this file. Read next: run.h
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::conformance {

struct Operation;  // what a word does: run.h, or io/run.h
struct Block;

/// A word, or a block in braces.
struct Argument {
  explicit Argument(std::string text) : word(std::move(text)) {}
  explicit Argument(std::unique_ptr<Block> statements) : block(std::move(statements)) {}

  std::string word;
  std::unique_ptr<Block> block;
};
using Arguments = std::vector<Argument>;

/// Which of its exceptions a statement lets pass: `word` all, `?word` only CancelledError, `!word` none.
enum class Swallow { nothing, exceptions, everything };

struct Statement {
  std::string word;
  const Operation* operation = nullptr;
  Swallow swallow = Swallow::nothing;
  Arguments arguments;
};

/// Statements; the number is at the same time the name of whoever runs them.
struct Block {
  int id = 0;
  std::vector<Statement> statements;
};

/// Throws std::invalid_argument for a missing brace or an unknown word.
std::unique_ptr<Block> parse(std::string_view text);

// Each of the two interpreters, this folder's and io/'s, has its own words, and defines these.

/// Null for an unknown word.
const Operation* find_operation(const std::string& word);
/// The log of a program, one line after the other.
std::string run_program(const std::string& text);

}  // namespace asyncio::conformance
