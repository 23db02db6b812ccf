#include "run.h"

#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace asyncio::conformance {

// ── the loop ────────────────────────────────────────────────────────────────────────────────────────────────────────

// Polls in every tick, as CPython does, takes what is ready in the order of the descriptors, and counts the ticks.
class Run::CountingCore final : public EpollCore {
 public:
  CountingCore() {
    // A pipe in which nothing ever is, so that the core is asked in every tick.
    static const auto idle = FileDescriptor::pipe();
    const auto nothing = [] {};
    watch(idle.first.fd(), Readiness::read,
          detail::Ref<detail::WatchState>(
              new detail::WatchNode<decltype(nothing)>(nothing, std::source_location::current()), detail::adopt));
  }
  void wait(std::optional<TimePoint> until) override { look(until); }
  void collect(ReadyQueue& ready) override {
    ++tick_;
    EpollCore::collect(ready);
  }
  int tick() const noexcept { return tick_; }

 protected:
  void select(int timeout_ms, std::vector<Found>& found) override {
    EpollCore::select(timeout_ms, found);
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.fd < b.fd; });
  }

 private:
  int tick_ = 0;
};

// ── what data and errors look like in a log ─────────────────────────────────────────────────────────────────────────

namespace {

std::string show_bytes(std::string_view data) {
  std::string text(data);
  std::replace(text.begin(), text.end(), '\n', '$');
  return text;
}

// [zlib.adler32]
std::string checksum(std::string_view data) {
  unsigned long a = 1, b = 0;
  for (const char byte : data) {
    a = (a + static_cast<unsigned char>(byte)) % 65521;
    b = (b + a) % 65521;
  }
  return std::to_string(b << 16 | a);
}

struct ErrorName {
  int code;
  const char* name;
};
constexpr ErrorName kErrorNames[] = {
    {ECONNRESET, "ECONNRESET"}, {EPIPE, "EPIPE"},
    {EAGAIN, "EAGAIN"},         {ECONNREFUSED, "ECONNREFUSED"},
    {ENOTCONN, "ENOTCONN"},     {ECONNABORTED, "ECONNABORTED"},
    {EBADF, "EBADF"},           {EINVAL, "EINVAL"},
    {EMSGSIZE, "EMSGSIZE"},     {ENOENT, "ENOENT"},
};

}  // namespace

std::string show_data(std::string_view data) {
  if (data.size() <= 16) return std::to_string(data.size()) + ":" + show_bytes(data);
  return std::to_string(data.size()) + ":" + show_bytes(data.substr(0, 4)) + "~" +
         show_bytes(data.substr(data.size() - 4)) + "#" + checksum(data);
}

std::string show_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const CancelledError&) {
    return "C";
  } catch (const IncompleteReadError& error) {
    return "Incomplete(" + show_data(error.partial()) + "," +
           (error.expected() ? std::to_string(*error.expected()) : "-") + "," + error.what() + ")";
  } catch (const LimitOverrunError& error) {
    return "Limit(" + std::to_string(error.consumed()) + "," + error.what() + ")";
  } catch (const std::system_error& error) {
    const int code = error.code().value();
    const auto named = std::find_if(std::begin(kErrorNames), std::end(kErrorNames),
                                    [code](const ErrorName& name) { return name.code == code; });
    return "O(" + (named == std::end(kErrorNames) ? std::to_string(code) : named->name) + ")";
  } catch (const std::invalid_argument& error) {
    return show_error("ValueError", error.what());
  } catch (const std::logic_error& error) {
    return show_error("Assert", error.what());
  } catch (const std::runtime_error& error) {
    return show_error("RuntimeError", error.what());
  } catch (const std::exception& error) {
    return show_error("C++", error.what());
  } catch (...) {
    return "C++";
  }
}

std::exception_ptr make_error(const std::string& kind) {
  if (kind == "V") return std::make_exception_ptr(std::invalid_argument("v"));
  if (kind == "R") return std::make_exception_ptr(std::runtime_error("r"));
  if (kind == "O") return std::make_exception_ptr(std::system_error(ECONNREFUSED, std::generic_category()));
  if (kind == "P") return std::make_exception_ptr(std::system_error(EPIPE, std::generic_category()));
  if (kind == "C") return std::make_exception_ptr(CancelledError());
  throw std::invalid_argument("unknown kind of error: " + kind);
}

std::string make_data(const std::string& size, std::size_t& position) {
  if (size.front() == 'z') return std::string(static_cast<std::size_t>(std::atoi(size.c_str() + 1)), 'z');
  std::string data(static_cast<std::size_t>(std::atoi(size.c_str())), '\n');
  for (char& byte : data) {
    if (position % 7 != 6) byte = static_cast<char>('a' + position % 26);
    ++position;
  }
  return data;
}

int to_int(const Argument& argument) { return std::atoi(argument.word.c_str()); }

// ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────────

void Run::log(const std::string& who, const std::string& text) {
  if (over_) return;
  if (core_->tick() != last_tick_) {
    last_tick_ = core_->tick();
    lines_ += "@" + std::to_string(last_tick_) + "\n";
  }
  lines_ += who + " " + text + "\n";
}

void Run::on_error(const ErrorContext& context) {
  const std::string shown = context.exception ? " !" + show_error(context.exception) : "";
  log("handler", context.message.starts_with("Exception in callback") ? "callback" + shown
                                                                      : without_repr(context.message) + shown);
}

// ── running blocks ──────────────────────────────────────────────────────────────────────────────────────────────────

Coro<bool> Run::run_block(const Block& block) {
  return run_statements(*this, std::to_string(block.id), block.statements);
}

bool Run::run_callback(const Block& block) {
  return run_callback_statements(*this, std::to_string(block.id), block.statements);
}

Coro<> Run::coroutine(const Block& block) {
  const std::string who = std::to_string(block.id);
  log(who, "+");
  try {
    co_await run_block(block);
  } catch (...) {
    log(who, "+ !" + show_error(std::current_exception()));
    throw;
  }
  log(who, "+ =");
}

Coro<> Run::task(const Block& block) {
  try {
    co_await coroutine(block);
  } catch (...) {  // it is in the log
  }
}

// ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────

Object* Run::find(const std::string& name) {
  const auto found = objects_.find(name);
  return found == objects_.end() ? nullptr : found->second.get();
}

Object* Run::make(const std::string& name) {
  if (find(name) || std::string_view("sbrwdxvazyknucoe").find(name.front()) == std::string_view::npos) return nullptr;
  in_order_.push_back(
      objects_.emplace(name, std::make_unique<Object>(name, static_cast<int>(in_order_.size()))).first->second.get());
  return in_order_.back();
}

Object& Run::make_next(char kind) {
  const auto count = std::count_if(in_order_.begin(), in_order_.end(), [&](Object* it) { return it->kind() == kind; });
  const std::string name = kind + std::to_string(count);
  in_order_.push_back(
      objects_.emplace(name, std::make_unique<Object>(name, static_cast<int>(in_order_.size()))).first->second.get());
  in_order_.back()->peer = -1;
  return *in_order_.back();
}

// ── a run ───────────────────────────────────────────────────────────────────────────────────────────────────────────

Run::Run() = default;
Run::~Run() {
  for (const Object* object : in_order_) {
    if (object->peer != -1) ::close(object->peer);
    if (object->has_address() && !object->address.is_ip()) ::unlink(std::string(object->address.path()).c_str());
  }
}

Coro<> Run::clean_up() {
  log("end", "");
  for (Object* object : in_order_) {
    if (object->server) {
      object->server->close();
    } else if (object->kind() == 'k') {
      remove_reader(object->fd);
      remove_writer(object->fd);
    } else if (SendTransport* sending = object->sending()) {
      sending->abort();
    } else if (object->transport) {
      object->transport->close();
    }
  }
  for (const auto& [name, task] : tasks) task.cancel();
  for (int i = 0; i < 8; ++i) co_await sleep(std::chrono::seconds(0));
  for (const auto& [name, task] : tasks) log(name, task.done() ? "done" : "pending");
  over_ = true;
  for (auto others = all_tasks(); others.size() > 1; others = all_tasks()) {  // some swallow it, and wait again
    for (const AnyTask& task : others) {
      if (task != current_task()) task.cancel();
    }
    co_await sleep(std::chrono::seconds(0));
  }
}

Coro<> Run::drive(const Block& program) {
  const auto main = create_task(task(program));
  for (int i = 0; i < 500 && !main.done(); ++i) co_await sleep(std::chrono::seconds(0));
  main.cancel();
  co_await clean_up();
}

std::string Run::run(const std::string& text) {
  const auto program = parse(text);
  auto core = std::make_unique<CountingCore>();
  core_ = core.get();
  Runner runner(std::move(core));
  loop_ = &runner.get_loop();
  loop_->set_exception_handler([this](Loop&, const ErrorContext& context) { on_error(context); });
  try {
    runner.run(drive(*program));
  } catch (...) {
    log("run", "!" + show_error(std::current_exception()));
  }
  over_ = true;
  for (Object* object : in_order_) {  // while there is a loop
    object->writer.reset();
    object->reader.reset();
    object->server.reset();
    object->transport.reset();
  }
  tasks.clear();
  runner.close();
  return std::move(lines_);
}

std::string run_program(const std::string& text) { return Run().run(text); }

const Operation* find_operation(const std::string& word) {
  static const Words words = [] {
    Words all;
    add_words(all);
    return all;
  }();
  const auto found = words.find(word);
  return found == words.end() ? nullptr : &found->second;
}

}  // namespace asyncio::conformance
