#include <asyncio/version.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace {

// That it is also the version of CMakeLists.txt and of CHANGELOG.md is build.version's.
TEST(Version, TheNumberAndTheTextAreTheSameVersion) {
  int major = -1;
  int minor = -1;
  int patch = -1;
  int length = 0;
  const std::string text(asyncio::version());
  ASSERT_EQ(std::sscanf(text.c_str(), "%d.%d.%d%n", &major, &minor, &patch, &length), 3) << text;
  EXPECT_EQ(static_cast<std::size_t>(length), text.size());
  EXPECT_EQ(major * 10000 + minor * 100 + patch, ASYNCIO_VERSION);
}

}  // namespace
