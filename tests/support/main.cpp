// The main() of every test executable.
#include <gtest/gtest.h>

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
// libstdc++ counts the references to an exception inside of itself, where ThreadSanitizer does not look.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:exception_ptr\n"; }
#endif
#endif

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
