// What the programs have in common that echo, and check an echo.
#pragma once

#include <asyncio/streams.h>

#include <stdexcept>
#include <string>

inline std::string pattern(std::size_t size) {
  std::string data(size, '\0');
  unsigned seed = 1;
  for (char& byte : data) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  return data;
}

inline void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(what);
}

inline asyncio::Coro<> echo(asyncio::StreamReader reader, asyncio::StreamWriter writer) {
  for (;;) {
    const std::string data = co_await reader.read(65536);
    if (data.empty()) break;
    writer.write(data);
    co_await writer.drain();
  }
  writer.close();
}
