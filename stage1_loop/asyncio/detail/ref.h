// A counted reference without atomics: a loop, and all that belongs to it, belongs to one thread.
// Skip on a first reading: this is std::shared_ptr for one thread, with the count inside the object (see
// ref_counted.h).
#pragma once

#include <concepts>
#include <utility>

namespace asyncio::detail {

struct Adopt {};
inline constexpr Adopt adopt{};  // takes over a reference that is already counted

/// T has add_ref() and release(), as RefCounted has.
template <class T>
class Ref {
 public:
  Ref() = default;
  explicit Ref(T* object) noexcept : object_(object) {
    if (object_) object_->add_ref();
  }
  Ref(T* object, Adopt) noexcept : object_(object) {}
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <std::derived_from<T> U>
  // NOLINTNEXTLINE(google-explicit-constructor): converts as pointers do
  Ref(Ref<U> other) noexcept : object_(other.detach()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_) object_->release();
  }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  friend bool operator==(const Ref&, const Ref&) = default;

  /// Gives up the reference without counting down: its new owner calls release().
  T* detach() noexcept { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

}  // namespace asyncio::detail
