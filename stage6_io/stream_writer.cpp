#include "asyncio/stream_writer.h"

#include "asyncio/detail/system_error.h"
#include "asyncio/sleep.h"

#include <cerrno>
#include <chrono>

namespace asyncio {
namespace {

void rethrow(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

Coro<> StreamWriter::drain(detail::Ref<detail::ConnectionOwner> owner) {
  detail::Connection& connection = owner->connection();
  connection.reader().throw_if_failed();
  if (connection.is_closing()) {
    // One tick, in which the loss comes through; or a task that writes and drains in a circle would never hear of it.
    co_await sleep(std::chrono::seconds(0));
  }
  if (connection.is_lost()) detail::throw_system_error(ECONNRESET, "Connection lost");
  if (!connection.writing_paused()) co_return;
  detail::Turn turn(connection.drain_waiters());
  co_await turn;
  rethrow(connection.error());
}

Coro<> StreamWriter::wait_closed(detail::Ref<detail::ConnectionOwner> owner) {
  detail::Connection& connection = owner->connection();
  if (!connection.is_lost()) {
    detail::Turn turn(connection.close_waiters());
    co_await turn;
  }
  rethrow(connection.error());
}

}  // namespace asyncio
