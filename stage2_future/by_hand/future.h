// A future: a result that is not there yet, and the callbacks that wait for it.
// Mirrors: Lib/asyncio/futures.py. FutureState is Python's Future; Future<T> is a reference to one. Read next: task.h
#pragma once
#include <by_hand/loop.h>
#include <any>
#include <variant>
namespace by_hand {
/// What a cancelled await throws. No std::exception, so that `catch (const std::exception&)` lets it pass.
struct CancelledError {};
struct InvalidStateError : std::exception {};
template <class T>
using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;  // Python's None is a value, too

struct FutureState : std::enable_shared_from_this<FutureState> {
  using DoneCallback = std::function<void(FutureState&)>;
  enum Status { pending, is_cancelled, finished };
  explicit FutureState(Loop& loop) : loop_(loop) {}
  virtual ~FutureState() = default;
  bool done() const { return status_ != pending; }
  bool cancelled() const { return status_ == is_cancelled; }
  const std::any& result() const {                       // [step 2.1]
    if (cancelled()) throw CancelledError();             // [step 2.5]
    if (exception_) std::rethrow_exception(exception_);  // [step 2.4]
    return done() ? result_ : throw InvalidStateError();
  }
  void set_result(std::any result) { finish_(finished, std::move(result), nullptr); }     // [step 2.1]
  void set_exception(std::exception_ptr exception) { finish_(finished, {}, exception); }  // [step 2.4]
  void copy(const FutureState& other) { finish_(other.status_, other.result_, other.exception_); }
  /// False if it is done already. A task hands it on to what it waits for.
  virtual bool cancel() {  // [step 2.5]
    if (done()) return false;
    finish_(is_cancelled, {}, nullptr);
    return true;
  }

  /// The callback runs by call_soon() once the future is done: never inside this call, nor inside set_result().
  int add_done_callback(DoneCallback callback) {  // [step 2.2]
    done() ? schedule_(std::move(callback)) : void(callbacks_.emplace(++last_id_, std::move(callback)));
    return last_id_;
  }
  void remove_done_callback(int id) { callbacks_.erase(id); }  // [step 2.3]

  void finish_(Status status, std::any result, std::exception_ptr exception) {  // [step 2.1]
    if (done()) throw InvalidStateError();
    status_ = status, result_ = std::move(result), exception_ = exception;
    for (auto& [id, callback] : std::exchange(callbacks_, {})) schedule_(std::move(callback));  // [step 2.2]
  }
  /// From now on the callback keeps the future alive. Before, it must not: the future would keep itself alive.
  void schedule_(DoneCallback callback) {
    loop_.call_soon([self = shared_from_this(), callback = std::move(callback)] { callback(*self); });
  }

  Loop& loop_;
  Status status_ = pending;
  std::any result_;
  std::exception_ptr exception_;
  std::map<int, DoneCallback> callbacks_;  // by number: in the order in which they were added
  int last_id_ = 0;
};

template <class T = void>
struct Future {  // copies stand for the same future; a Future<> can stand for a future of any type
  using Result = T;
  explicit Future(Loop& loop) : state(std::make_shared<FutureState>(loop)) {}
  explicit Future(std::shared_ptr<FutureState> state) : state(std::move(state)) {}
  operator Future<>() const { return Future<>(state); }
  bool done() const { return state->done(); }
  bool cancelled() const { return state->cancelled(); }
  bool cancel() const { return state->cancel(); }
  std::exception_ptr exception() const { return state->exception_; }
  void set_exception(std::exception_ptr exception) const { state->set_exception(exception); }
  void set_result(auto... value) const { state->set_result(Value<T>(std::move(value)...)); }
  std::add_lvalue_reference_t<const T> result() const {
    const std::any& result = state->result();
    if constexpr (!std::is_void_v<T>) return *std::any_cast<T>(&result);
  }
  int add_done_callback(auto callback) const {
    return state->add_done_callback([callback](FutureState& state) mutable {
      Future self(state.shared_from_this());
      callback(self);
    });
  }
  void remove_done_callback(int id) const { state->remove_done_callback(id); }
  std::shared_ptr<FutureState> state;
};

/// What run_until_complete() and gather() make of their arguments. A future is one; stage 3 adds coroutines.
template <class T>
Future<T> ensure_future(Future<T> future, Loop&) {
  return future;
}
}  // namespace by_hand
