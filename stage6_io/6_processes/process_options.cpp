#include "asyncio/process_options.h"

#include <stdexcept>
#include <string_view>

extern char** environ;

namespace asyncio {

Redirect::Redirect(int fd) : value_(fd) {
  if (fd < 0) throw std::invalid_argument("Invalid file descriptor: " + std::to_string(fd));
}

Environment current_environment() {
  Environment variables;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != text.npos && equals > 0) variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace asyncio
