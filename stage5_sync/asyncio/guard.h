// Guard: holds a lock or a permit until the end of a scope: `auto guard = co_await lock.scoped();`
// Mirrors: `async with lock:`, _ContextManagerMixin in Lib/asyncio/locks.py. Read next: event.h
#pragma once

#include <utility>

namespace asyncio {

namespace detail {
/// Passes the current exception to the loop's exception handler. For the catch block of a destructor.
void report_failed_release() noexcept;
}  // namespace detail

/// Releases at the end of its scope. Acquiring may take time and is awaited; releasing does not, so a destructor can do
/// it. Give the guard a name: without one it ends with its statement.
template <class Primitive>
class [[nodiscard("a guard without a name releases at once")]] Guard {
 public:
  Guard() = default;
  /// Takes over a primitive that is acquired already.
  explicit Guard(Primitive& acquired) noexcept : primitive_(&acquired) {}
  Guard(Guard&& other) noexcept : primitive_(std::exchange(other.primitive_, nullptr)) {}
  /// Releases what it held.
  Guard& operator=(Guard&& other) noexcept {
    Guard old(std::move(other));
    std::swap(primitive_, old.primitive_);
    return *this;
  }
  ~Guard() {
    if (!primitive_) return;
    try {
      primitive_->release();
    } catch (...) {  // it was released already
      detail::report_failed_release();
    }
  }

  /// Releases now, and not at the end of the scope. Throws what the primitive's release() throws.
  void release() {
    if (primitive_) std::exchange(primitive_, nullptr)->release();
  }
  /// True if it has something to release.
  explicit operator bool() const noexcept { return primitive_ != nullptr; }

 private:
  Primitive* primitive_ = nullptr;
};

namespace detail {

/// The awaiter of scoped(): acquires, and returns a guard.
template <class Acquire, class Primitive>
class AcquireScoped final : public Acquire {
 public:
  explicit AcquireScoped(Primitive& primitive) noexcept : Acquire(primitive), primitive_(primitive) {}
  Guard<Primitive> await_resume() {
    Acquire::await_resume();
    return Guard<Primitive>(primitive_);
  }

 private:
  Primitive& primitive_;
};

}  // namespace detail
}  // namespace asyncio

// For the whole header, unless a name says otherwise:
// Threads: the thread of its loop, and no other.
// Ticks: none: it releases at once. Who is woken by that runs in the next tick.
// Errors: release() throws what the primitive's release() throws; of the destructor, the exception handler hears
//   that.
// Units: none.
