#include "asyncio/shield.h"

namespace asyncio::detail {
namespace {

/// Reports the exception of a future whose shield was cancelled. All instances have one id, so that a future with
/// several shields is reported once.
class LogOnException final : public DoneCallback, public Pooled {
 public:
  static constexpr CallbackId kId{~std::uint64_t{0}};

  CallbackId id() const noexcept override { return kId; }
  void on_done(FutureBase& future) noexcept override { future_ = AnyFuture(Ref<FutureBase>(&future)); }
  void run(Loop& loop) override {
    const std::unique_ptr<LogOnException> self(this);
    if (future_.cancelled()) return;
    const std::exception_ptr error = future_.exception();
    if (!error) return;
    const std::string what = describe(error);
    ErrorContext context(what.substr(0, what.find(": ")) + " exception in shielded future", error);
    loop.call_exception_handler(context.with("future", future_.repr()));
  }
  void drop() noexcept override { delete this; }

 private:
  AnyFuture future_;
};

}  // namespace

void ShieldLink::on_outer_done() {
  FutureBase* const future = inner;
  if (!future || future->done()) return;
  future->remove_done_callback(callback);
  future->remove_done_callback(LogOnException::kId);
  future->add_callback(*new LogOnException);
}

}  // namespace asyncio::detail
