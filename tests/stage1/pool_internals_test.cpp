// The pool of small blocks: what it hands out again, and that a thread's end gives everything back.
#include <asyncio/detail/pool.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

using asyncio::detail::Pool;

#if ASYNCIO_POOL  // under a sanitizer every block comes from operator new: there is nothing to test

namespace {
std::atomic<long> blocks = 0;  // that operator new gave out and operator delete has not got back
}

// All of this test program allocates through these: the counter must not lie. (noinline: g++ would see malloc() meet
// operator delete, and warn.)
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++blocks;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory) --blocks;
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace {

/// How many blocks a thread that runs `work` leaves behind.
template <class F>
long left_by_thread(F work) {
  std::thread([] { Pool::deallocate(Pool::allocate(32), 32); }).join();  // what threads leave once, whatever they do
  const long before = blocks;
  std::thread(work).join();
  return blocks - before;
}

TEST(Pool, HandsOutAFreedBlockOfTheSameSizeAgain) {
  void* one = Pool::allocate(100);
  Pool::deallocate(one, 100);
  const long before = blocks;
  void* two = Pool::allocate(97);  // the same grain
  EXPECT_EQ(one, two);
  EXPECT_EQ(blocks, before);
  Pool::deallocate(two, 97);
}

TEST(Pool, BlocksAreAlignedAndDoNotOverlap) {
  std::vector<std::pair<unsigned char*, std::size_t>> all;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t size = 1; size < 1100; size += 13) {
      auto* block = static_cast<unsigned char*>(Pool::allocate(size));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % Pool::kGrain, 0u);
      std::memset(block, static_cast<int>(size % 251), size);
      all.emplace_back(block, size);
    }
    for (auto [block, size] : all) {
      EXPECT_EQ(block[0], size % 251);
      EXPECT_EQ(block[size - 1], size % 251);
      Pool::deallocate(block, size);
    }
    all.clear();
  }
}

TEST(Pool, LargeBlocksGoStraightBack) {
  const long before = blocks;
  void* block = Pool::allocate(Pool::kLargest + 1);
  EXPECT_EQ(blocks, before + 1);
  Pool::deallocate(block, Pool::kLargest + 1);
  EXPECT_EQ(blocks, before);
}

TEST(Pool, KeepsNoMoreThanItMay) {
  const auto left = [](std::size_t count) {
    long kept = 0;
    std::thread([&] {
      std::vector<void*> all(count);
      const long before = blocks;
      for (void*& block : all) block = Pool::allocate(Pool::kLargest);
      for (void* block : all) Pool::deallocate(block, Pool::kLargest);
      kept = blocks - before;
    }).join();
    return kept;
  };
  constexpr long most = Pool::kMostKept / Pool::kLargest;
  EXPECT_EQ(left(most - 1), most - 1);
  EXPECT_EQ(left(most + 1000), most);
}

TEST(Pool, ABurstOfOneSizeLeavesTheOthersTheirRoom) {
  const auto take_and_give_back = [](std::size_t count, std::size_t size) {
    std::vector<void*> all(count);
    for (void*& block : all) block = Pool::allocate(size);
    const long taken = blocks;
    for (void* block : all) Pool::deallocate(block, size);
    return taken;
  };
  std::thread([&] {
    take_and_give_back(Pool::kMostKept / Pool::kLargest + 10, Pool::kLargest);
    const long first = take_and_give_back(100, 64);
    EXPECT_EQ(take_and_give_back(100, 64), first);  // they were kept
  }).join();
}

TEST(Pool, AThreadsEndGivesItsBlocksBack) {
  EXPECT_EQ(left_by_thread([] {
              std::vector<void*> all;
              for (int i = 0; i < 1000; ++i) all.push_back(Pool::allocate(64));
              for (void* block : all) Pool::deallocate(block, 64);
            }),
            0);
}

TEST(Pool, AThreadThatOnlyFreesWhatAnotherMadeLeavesNothingBehind) {
  std::vector<void*> all;
  all.reserve(1000);
  for (int i = 0; i < 1000; ++i) all.push_back(::operator new(64));
  EXPECT_EQ(left_by_thread([&] {
              for (void* block : all) Pool::deallocate(block, 64);
            }),
            -1000);
}

TEST(Pool, BlocksFreedWhileTheThreadEndsAreGivenBackToo) {
  struct AtThreadEnd {
    ~AtThreadEnd() {
      Pool::deallocate(block, 48);
      Pool::deallocate(Pool::allocate(48), 48);
    }
    void* block = nullptr;
  };
  EXPECT_EQ(left_by_thread([] {
              static thread_local AtThreadEnd early;  // made before the pool's lists are, and so destroyed after them
              early.block = Pool::allocate(48);
              Pool::deallocate(Pool::allocate(48), 48);
            }),
            0);
}

/// Makes `count` blocks in this thread and hands them over in another, as callbacks from other threads are.
void one_way(std::size_t count, std::size_t size) {
  std::vector<void*> all(count);
  for (void*& block : all) block = Pool::allocate_handed_over(size);
  std::thread([&] {
    for (void* block : all) Pool::hand_over(block, size);
  }).join();
}

TEST(Pool, WhatIsHandedOverComesBackToTheThreadThatMakesTheNextOne) {
  one_way(1000, 112);
  const long before = blocks;
  for (int round = 0; round < 100; ++round) one_way(1000, 112);
  EXPECT_EQ(blocks, before) << "no round needed another block, and none was left behind";
}

TEST(Pool, KeepsNoMoreOfWhatIsHandedOverThanItMay) {
  constexpr std::size_t size = Pool::kLargest;
  constexpr long most = Pool::kMostHandedOver / size;
  const long before = blocks;
  std::thread([] { one_way(most + 1000, size); }).join();
  EXPECT_EQ(blocks - before, most);
  std::thread([] { Pool::hand_over(Pool::allocate_handed_over(size), size); }).join();  // takes all, and keeps one
  EXPECT_EQ(blocks - before, 1);
}

TEST(Pool, LargeBlocksThatAreHandedOverGoStraightBack) {
  const long before = blocks;
  void* block = Pool::allocate_handed_over(Pool::kLargest + 1);
  EXPECT_EQ(blocks, before + 1);
  Pool::hand_over(block, Pool::kLargest + 1);
  EXPECT_EQ(blocks, before);
}

TEST(Pool, ManyThreadsHandOverAndTakeWithoutMixingBlocks) {
  constexpr std::size_t size = 96;
  std::atomic<long> mixed = 0;
  const auto work = [&](unsigned char mark) {
    std::vector<unsigned char*> mine(64);
    for (int round = 0; round < 2000; ++round) {
      for (auto*& block : mine) {
        block = static_cast<unsigned char*>(Pool::allocate_handed_over(size));
        std::memset(block, mark, size);
      }
      for (auto* block : mine) {
        for (std::size_t i = 0; i < size; ++i) mixed += block[i] != mark;
        Pool::hand_over(block, size);
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned char mark = 1; mark <= 4; ++mark) threads.emplace_back(work, mark);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mixed, 0);
}

TEST(Pool, IsEmptyAtTheBeginningOfAThread) {
  EXPECT_EQ(left_by_thread([] {}), 0);
}

}  // namespace
#endif
