#include "measure.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace measure {
namespace {

constinit thread_local Heap this_heap;
constexpr std::size_t kHeader = alignof(std::max_align_t);  // before each block stands its size

#ifdef __linux__
/// The processor's counter, as the kernel hands it out; virtual machines often have none.
struct InstructionCounter {
  InstructionCounter() {
    perf_event_attr what{};
    what.size = sizeof what;
    what.type = PERF_TYPE_HARDWARE;
    what.config = PERF_COUNT_HW_INSTRUCTIONS;
    what.exclude_kernel = 1;
    what.exclude_hv = 1;
    fd = static_cast<int>(syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
    if (fd < 0) why_not = std::strerror(errno);
  }
  std::int64_t read() const noexcept {
    std::int64_t count = -1;
    if (fd >= 0 && ::read(fd, &count, sizeof count) != sizeof count) count = -1;
    return count;
  }
  int fd;
  const char* why_not = nullptr;
};
#else
struct InstructionCounter {
  std::int64_t read() const noexcept { return -1; }
  const char* why_not = "only asked for on Linux";
};
#endif

const InstructionCounter& counter() {
  static const thread_local InstructionCounter of_this_thread;
  return of_this_thread;
}

}  // namespace

void fix_iterations(benchmark::internal::Benchmark* benchmark) {
  if (const char* const iterations = std::getenv("MEASURE_ITERATIONS")) benchmark->Iterations(std::atol(iterations));
}

const Heap& heap() noexcept { return this_heap; }
std::int64_t instructions() noexcept { return counter().read(); }
const char* why_no_instructions() noexcept { return counter().why_not; }

void Iterations::start() noexcept {
  phase_ = Phase::running;
  allocations_ = heap().calls;
  instructions_ = instructions();
}

bool Iterations::next_phase() {
  if (phase_ == Phase::before) {
    start();
    if (state_.KeepRunning()) return true;
  }
  finish();
  return false;
}

void Iterations::finish() {
  if (phase_ != Phase::running) return;
  phase_ = Phase::after;
  using benchmark::Counter;
  const std::int64_t executed = instructions() - instructions_;
  const std::int64_t allocated = heap().calls - allocations_;
  const auto of_one = [&](std::int64_t count) { return Counter(double(count) / items_, Counter::kAvgIterations); };
  state_.counters["per_item"] = Counter(items_, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state_.counters["allocations"] = of_one(allocated);
  if (instructions_ >= 0) state_.counters["instructions"] = of_one(executed);
}

}  // namespace measure

[[gnu::noinline]] void* operator new(std::size_t size) {
  char* const memory = static_cast<char*>(std::malloc(size + measure::kHeader));
  if (!memory) throw std::bad_alloc();
  *reinterpret_cast<std::size_t*>(memory) = size;
  ++measure::this_heap.calls;
  measure::this_heap.bytes += static_cast<std::int64_t>(size);
  return memory + measure::kHeader;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (!memory) return;
  char* const begin = static_cast<char*>(memory) - measure::kHeader;
  measure::this_heap.bytes -= static_cast<std::int64_t>(*reinterpret_cast<std::size_t*>(begin));
  std::free(begin);
}
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
