// Lists whose links lie inside the items: joining and leaving one needs no memory and cannot fail.
// Two shapes: IntrusiveList for items that leave from anywhere, IntrusiveQueue where a pointer less matters more.
// Skip on a first reading. Read next: ../ready_queue.h
#pragma once

#include <cstddef>
#include <iterator>

namespace asyncio::detail {

/// Derive from it to be an item of an IntrusiveList, of one at a time.
class ListLink {
 public:
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  /// Whether it is in a list.
  bool linked() const noexcept { return next_ != nullptr; }

 protected:
  ListLink() = default;
  ~ListLink() = default;

 private:
  template <class>
  friend class IntrusiveList;
  ListLink* previous_ = nullptr;
  ListLink* next_ = nullptr;
};

/// A ring through all items and the list itself, so that nothing asks whether an item is the first or the last.
/// push_back() and remove() are O(1). The list does not own its items.
template <class T>
class IntrusiveList {
 public:
  class iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = T;
    explicit iterator(ListLink* link) noexcept : link_(link) {}
    T& operator*() const noexcept { return static_cast<T&>(*link_); }
    iterator& operator++() noexcept {
      link_ = link_->next_;
      return *this;
    }
    friend bool operator==(const iterator&, const iterator&) = default;

   private:
    ListLink* link_;
  };

  IntrusiveList() noexcept { head_.previous_ = head_.next_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const noexcept { return head_.next_ == &head_; }
  /// REQUIRES: !empty().
  T& front() const noexcept { return static_cast<T&>(*head_.next_); }
  T& back() const noexcept { return static_cast<T&>(*head_.previous_); }
  /// The item behind this one; null behind the last.
  T* after(const T& item) const noexcept {
    ListLink* const next = static_cast<const ListLink&>(item).next_;
    return next == &head_ ? nullptr : &static_cast<T&>(*next);
  }

  void push_back(T& item) noexcept {
    ListLink& link = item;
    link.previous_ = head_.previous_;
    link.next_ = &head_;
    head_.previous_->next_ = &link;
    head_.previous_ = &link;
  }
  /// From whichever list it is in. REQUIRES: linked().
  static void remove(T& item) noexcept {
    ListLink& link = item;
    link.previous_->next_ = link.next_;
    link.next_->previous_ = link.previous_;
    link.next_ = nullptr;
  }

  iterator begin() const noexcept { return iterator(head_.next_); }
  iterator end() const noexcept { return iterator(const_cast<Head*>(&head_)); }

 private:
  struct Head : ListLink {};
  Head head_;
};

/// Derive T from it to be an item of an IntrusiveQueue<T>.
template <class T>
class QueueLink {
 protected:
  QueueLink() = default;
  ~QueueLink() = default;

 private:
  template <class, class>
  friend class IntrusiveQueue;
  T* next_ = nullptr;
};

/// One pointer an item and one for the queue, which keeps the last item of a ring: each future has such a queue, and
/// most have one callback in it. Items leave at the front; leaving from the middle is O(n). It does not own its items.
/// T is linked by its base QueueLink<Link>.
template <class T, class Link = T>
class IntrusiveQueue {
 public:
  bool empty() const noexcept { return last_ == nullptr; }

  void push_back(T& item) noexcept {
    if (last_) {
      next(item) = next(*last_);
      next(*last_) = &item;
    } else {
      next(item) = &item;
    }
    last_ = &item;
  }
  /// REQUIRES: !empty().
  T& pop_front() noexcept {
    T& first = static_cast<T&>(*next(*last_));
    if (&first == last_) {
      last_ = nullptr;
    } else {
      next(*last_) = next(first);
    }
    return first;
  }
  /// Removes the first item that `matches`; null if there is none.
  template <class Predicate>
  T* remove_if(Predicate matches) noexcept {
    if (!last_) return nullptr;
    T* before = last_;
    do {
      T* const item = static_cast<T*>(next(*before));
      if (matches(*item)) {
        next(*before) = next(*item);
        if (item == last_) last_ = before == item ? nullptr : before;
        return item;
      }
      before = item;
    } while (before != last_);
    return nullptr;
  }
  /// Calls `visit` with each item, the first first. REQUIRES: it changes nothing.
  template <class Visit>
  void for_each(Visit visit) const {
    for (T* item = last_; item;) {
      item = static_cast<T*>(next(*item));
      visit(*item);
      if (item == last_) return;
    }
  }

 private:
  static Link*& next(T& item) noexcept { return static_cast<QueueLink<Link>&>(item).next_; }
  T* last_ = nullptr;
};

}  // namespace asyncio::detail
