# `./stages amalgamate`: all of asyncio in one file, on stdout. The files to take are lines of stdin: headers, each with its
# include root before it ("stage1_loop asyncio/loop.h"), and sources ("stage1_loop loop.cpp"), the lowest stage first.
#
# A header is written where it is first included, and a source at the end, for one file of the program only. Comments
# that take whole lines are left out: the file is for compilers.

function emit(path,    line, name) {
  if (path in emitted) return
  emitted[path] = 1
  while ((getline line < path) > 0) {
    name = line
    if (line ~ /^#pragma once/ || line ~ /^[ \t]*\/\// || line ~ /^[ \t]*$/) continue
    if (sub(/^#include [<"]asyncio\//, "asyncio/", name)) {
      sub(/[>"].*/, "", name)
      if (!(name in headers)) {
        print "amalgamate: " path " includes " name ", which is not there" > "/dev/stderr"
        failed = 1
        exit 1
      }
      emit(headers[name])
    } else {
      print line
    }
  }
  close(path)
}

$2 ~ /\.h$/ { headers[$2] = $1 "/" $2; names[++count] = $2 }
$2 ~ /\.cpp$/ { sources[++source_count] = $1 "/" $2 }

END {
  if (failed) exit 1
  print "// asyncio " version ", Python's asyncio in C++20, in one file, made by `./stages amalgamate` of commit " commit "."
  print "// Each file of a program may include it, and one of them defines ASYNCIO_IMPLEMENTATION before that. In app.cpp:"
  print "//"
  print "//     #define ASYNCIO_IMPLEMENTATION"
  print "//     #include \"asyncio.hpp\""
  print "//     #include <iostream>"
  print "//     asyncio::Coro<> hello() {"
  print "//       co_await asyncio::sleep(std::chrono::seconds(1));"
  print "//       std::cout << \"hello\\n\";"
  print "//     }"
  print "//     int main() { asyncio::run(hello()); }"
  print "//"
  print "//     g++ -std=c++20 -pthread -foptimize-sibling-calls app.cpp -o app && ./app    # or clang++"
  print "//"
  print "// It needs g++ 12 or clang 16, or newer, and POSIX. The sources, with their comments, are where this comes from."
  print "#pragma once"
  print "#if defined(__GNUC__)"
  print "#pragma GCC system_header  // warnings are for those who change asyncio"
  print "#endif"
  for (i = 1; i <= count; ++i) emit(headers[names[i]])
  # So the linker names the macro, if no file defines it, and if two do.
  print "namespace asyncio::detail {"
  print "extern const char one_file_must_define_ASYNCIO_IMPLEMENTATION;"
  print "[[gnu::used, gnu::retain]] static const char* const needs_implementation = &one_file_must_define_ASYNCIO_IMPLEMENTATION;"
  print "}"
  print "#ifdef ASYNCIO_IMPLEMENTATION"
  print "const char asyncio::detail::one_file_must_define_ASYNCIO_IMPLEMENTATION = 0;"
  for (i = 1; i <= source_count; ++i) emit(sources[i])
  print "#endif"
}
