#include "asyncio/processes.h"

#include "asyncio/gather.h"

#include <system_error>
#include <tuple>

namespace asyncio {
namespace {

/// Feeds two readers, and closes the transport when process and pipes have ended. [SubprocessStreamProtocol]
class SubprocessStreamProtocol final : public SubprocessProtocol {
 public:
  explicit SubprocessStreamProtocol(std::size_t limit) : readers_{StreamReader(limit), StreamReader(limit)} {}

  void connection_made(std::shared_ptr<SubprocessTransport> transport) override {
    transport_ = transport;
    for (const int fd : {1, 2}) {
      if (auto pipe = transport->get_pipe_transport(fd)) {
        reader(fd).set_transport(std::move(pipe));
        ++open_pipes_;
      }
    }
  }
  void pipe_data_received(int fd, std::string_view data) override { reader(fd).feed_data(data); }
  void pipe_connection_lost(int fd, std::exception_ptr error) override {
    if (fd == 0) return;
    error ? reader(fd).set_exception(error) : reader(fd).feed_eof();
    reader(fd).set_transport(nullptr);
    --open_pipes_;
    maybe_close();
  }
  void process_exited() override {
    exited_ = true;
    maybe_close();
  }

  const StreamReader& reader(int fd) const noexcept { return readers_[fd - 1]; }

 private:
  void maybe_close() {
    if (!exited_ || open_pipes_ > 0) return;
    if (const auto transport = transport_.lock()) transport->close();
  }
  StreamReader readers_[2];
  std::weak_ptr<SubprocessTransport> transport_;  // weak, because it holds this protocol
  int open_pipes_ = 0;
  bool exited_ = false;
};

}  // namespace

Coro<Process> Process::create(std::vector<std::string> argv, ProcessOptions options) {
  const auto protocol = std::make_shared<SubprocessStreamProtocol>(options.limit);
  const auto state = std::make_shared<State>();
  state->transport = co_await SubprocessTransport::start(protocol, std::move(argv), options);
  try {
    if (options.stdin_ == subprocess::PIPE) {
      state->in.emplace(state->transport->get_pipe_transport(0), state->transport->stdin_flow());
    }
  } catch (...) {  // no memory: nobody can reach the child
    state->transport->close();
    throw;
  }
  if (options.stdout_ == subprocess::PIPE) state->out = protocol->reader(1);
  if (options.stderr_ == subprocess::PIPE) state->err = protocol->reader(2);
  co_return Process(state);
}

Coro<std::pair<std::string, std::string>> Process::communicate(Process self, std::optional<std::string> input) {
  auto done = gather(feed_stdin(self, std::move(input)), read_stream(self, 1), read_stream(self, 2));
  auto [fed, out, err] = co_await std::move(done);
  co_await self.wait();
  co_return std::pair<std::string, std::string>(std::move(out), std::move(err));
}

Coro<> Process::feed_stdin(Process self, std::optional<std::string> input) {
  if (!self.state_->in) co_return;
  const StreamWriter writer = *self.state_->in;
  try {
    if (input) writer.write(*input);
    co_await writer.drain();
  } catch (const std::system_error& error) {
    // The child has not read its input.
    if (error.code() != std::errc::broken_pipe && error.code() != std::errc::connection_reset) throw;
  }
  writer.close();
}

Coro<std::string> Process::read_stream(Process self, int fd) {
  const std::optional<StreamReader>& reader = fd == 1 ? self.state_->out : self.state_->err;
  if (!reader) co_return std::string();
  std::string output = co_await reader->read();
  if (const auto pipe = self.state_->transport->get_pipe_transport(fd)) pipe->close();
  co_return output;
}

}  // namespace asyncio
