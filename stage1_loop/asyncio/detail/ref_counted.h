// The count inside an object that Refs point to.
// Skip on a first reading. Read next: ref.h
#pragma once

#include <cstdint>

namespace asyncio::detail {

/// Derive T from RefCounted<T>. An object starts with one reference, its maker's. When the last one goes, the object is
/// deleted; a T that has more to do then declares an unreferenced() of its own. Not atomic: see Ref.
template <class T>
class RefCounted {
 public:
  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) static_cast<T*>(this)->unreferenced();
  }
  bool unique() const noexcept { return refs_ == 1; }

 protected:
  RefCounted() = default;
  ~RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void unreferenced() noexcept { delete static_cast<T*>(this); }

 private:
  std::uint32_t refs_ = 1;
};

}  // namespace asyncio::detail
