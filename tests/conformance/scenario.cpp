#include "scenario.h"

#include <algorithm>
#include <stdexcept>

namespace asyncio::conformance {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::unique_ptr<Block> program() {
    auto block = statements();
    if (!token_.empty()) throw std::invalid_argument("one } too many");
    return block;
  }

 private:
  // Up to the next "}", or to the end.
  std::unique_ptr<Block> statements() {
    auto block = std::make_unique<Block>();
    block->id = count_++;
    bool begins = true;
    for (next(); !token_.empty() && token_ != "}"; next()) {
      if (token_ == ";") {
        begins = true;
      } else if (std::exchange(begins, false)) {
        block->statements.push_back(statement());
      } else if (token_ == "{") {
        auto inner = statements();
        if (token_ != "}") throw std::invalid_argument("a } is missing");
        block->statements.back().arguments.emplace_back(std::move(inner));
      } else {
        block->statements.back().arguments.emplace_back(std::string(token_));
      }
    }
    return block;
  }

  Statement statement() const {
    Statement statement;
    std::string_view word = token_;
    if (word.front() == '?' || word.front() == '!') {
      statement.swallow = word.front() == '?' ? Swallow::exceptions : Swallow::everything;
      word.remove_prefix(1);
    }
    statement.word = word;
    statement.operation = find_operation(statement.word);
    if (!statement.operation) throw std::invalid_argument("unknown word: " + statement.word);
    return statement;
  }

  void next() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \n"), text_.size()));
    token_ = text_.substr(0, text_.find_first_of(" \n"));
    text_.remove_prefix(token_.size());
  }

  std::string_view text_;
  std::string_view token_;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<Block> parse(std::string_view text) { return Parser(text).program(); }

}  // namespace asyncio::conformance
