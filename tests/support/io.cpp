#include "support/io.h"

#include "support/refusing.h"

#include <asyncio/epoll_core.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace asyncio::testing {

std::unique_ptr<Core> make_io_core() {
#ifdef __linux__
  const char* const wanted = std::getenv("ASYNCIO_TEST_CORE");
  if (wanted && std::string_view(wanted) == "epoll") return std::make_unique<EpollCore>();
#endif
  return nullptr;
}

bool tasks_are_eager() { return std::getenv("ASYNCIO_TEST_EAGER") != nullptr; }

int open_descriptors() {
  int open = 0;
  for (int fd = 0; fd < 1024; ++fd) open += ::fcntl(fd, F_GETFD) != -1;
  return open;
}

namespace {

// Made before main(), so that the tests which count descriptors count it before and after.
const std::optional<Socket> refusing = []() -> std::optional<Socket> {
  try {
    return Socket::bound(*Address::numeric("0.0.0.0", 0));
  } catch (const std::system_error&) {  // no test that needs it can pass here
    return std::nullopt;
  }
}();

}  // namespace

int refusing_port() { return refusing.value().local_address().port(); }

bool has_ipv6() {
  try {
    Socket::bound(*Address::numeric("::1", 0));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

bool no_children() {
  siginfo_t info;
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1 && errno == ECHILD;
}

TemporaryFolder::TemporaryFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "asyncio-XXXXXX").string();
  if (!::mkdtemp(path.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace asyncio::testing
