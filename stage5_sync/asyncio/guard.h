// A lock, or a permit, for the length of a scope: `auto guard = co_await lock.scoped();`
// Mirrors: `async with lock:`, _ContextManagerMixin in Lib/asyncio/locks.py. Read next: lock.h
#pragma once

#include <utility>

namespace asyncio {

namespace detail {
/// Inside a catch block of a destructor, from which nothing may escape: tells the loop's exception handler.
void report_failed_release() noexcept;
}  // namespace detail

/// Releases at the end of its scope. Getting hold of a lock may take time, and is awaited; giving it back does not,
/// and so a destructor can do it. Give the guard a name: a nameless one would end with its statement.
template <class Primitive>
class [[nodiscard("a guard without a name releases at once")]] Guard {
 public:
  Guard() = default;
  /// Takes over what is acquired already.
  explicit Guard(Primitive& acquired) noexcept : primitive_(&acquired) {}
  Guard(Guard&& other) noexcept : primitive_(std::exchange(other.primitive_, nullptr)) {}
  Guard& operator=(Guard&& other) noexcept {
    std::swap(primitive_, other.primitive_);
    return *this;
  }
  ~Guard() {
    if (!primitive_) return;
    try {
      primitive_->release();
    } catch (...) {  // somebody else released it
      detail::report_failed_release();
    }
  }

  /// Releases it now, and not again at the end. Throws what the primitive's release() throws.
  void release() {
    if (primitive_) std::exchange(primitive_, nullptr)->release();
  }
  /// Whether it has something to release.
  explicit operator bool() const noexcept { return primitive_ != nullptr; }

 private:
  Primitive* primitive_ = nullptr;
};

namespace detail {

/// The awaiter of scoped(): acquires, and gives a guard.
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
