// Exercise 1: timers in a binary heap, and equal deadlines first in, first out all the same.
#include <functional>
#include <iostream>
#include <queue>
#include <vector>

struct Timer {
  int when;
  int number;  // of timers made so far: it breaks the tie
  std::function<void()> callback;

  /// std::priority_queue has its greatest element at the top, so the earliest timer has to be the greatest.
  bool operator<(const Timer& other) const { return when != other.when ? when > other.when : number > other.number; }
};

class Timers {
 public:
  void call_at(int when, std::function<void()> callback) { heap_.push({when, made_++, std::move(callback)}); }
  void run_due(int now) {
    while (!heap_.empty() && heap_.top().when <= now) {
      const Timer due = heap_.top();  // a copy: top() is const, for moving from it would break the heap
      heap_.pop();
      due.callback();
    }
  }

 private:
  std::priority_queue<Timer> heap_;
  int made_ = 0;
};

int main() {
  Timers timers;
  for (const char* name : {"first", "second", "third", "fourth", "fifth"}) {
    timers.call_at(5, [name] { std::cout << "at 5: " << name << '\n'; });
  }
  timers.call_at(3, [] { std::cout << "at 3\n"; });
  timers.run_due(10);
}
