// A counted reference without atomics: a loop and all that hangs on it belongs to one thread.
// Skip on a first reading: it is std::shared_ptr for one thread, with the count inside the object.
#pragma once

#include <concepts>
#include <utility>

namespace asyncio::detail {

struct Adopt {};
inline constexpr Adopt adopt{};  // take over a reference that is counted already

/// T has add_ref() and release(); release() of the last reference destroys it.
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
  Ref(Ref<U> other) noexcept : object_(other.leak()) {}
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

  /// Gives the reference away without counting down.
  T* leak() noexcept { return std::exchange(object_, nullptr); }

 private:
  T* object_ = nullptr;
};

}  // namespace asyncio::detail
