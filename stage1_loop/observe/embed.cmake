# cmake -DFOLDER=player -DOUTPUT=player.cpp -P embed.cmake: player/page.html with its style and its scripts, as C++.
cmake_minimum_required(VERSION 3.25)

set(pieces "")
set(count 0)
# Several pieces, as compilers need not take a string of more than 65,536 characters.
function(add_piece text)
  string(APPEND pieces "R\"~~~~(${text})~~~~\",\n")
  math(EXPR count "${count} + 1")
  set(pieces "${pieces}" PARENT_SCOPE)
  set(count ${count} PARENT_SCOPE)
endfunction()

file(READ ${FOLDER}/page.html page)
string(REGEX REPLACE " *</body>[ \n]*</html>[ \n]*$" "" page "${page}")

string(FIND "${page}" "/* STYLE */" at)
string(SUBSTRING "${page}" 0 ${at} before)
add_piece("${before}")
file(READ ${FOLDER}/player.css style)
add_piece("${style}")
math(EXPR at "${at} + 11")
string(SUBSTRING "${page}" ${at} -1 page)

string(FIND "${page}" "/* SCRIPT */" at)
string(SUBSTRING "${page}" 0 ${at} before)
add_piece("${before}")
foreach(script IN ITEMS log words lanes page)
  file(READ ${FOLDER}/${script}.js text)
  add_piece("${text}")
endforeach()
math(EXPR at "${at} + 12")
string(SUBSTRING "${page}" ${at} -1 page)
add_piece("${page}")

file(WRITE ${OUTPUT} "// Made of stage1_loop/observe/player/ by embed.cmake.
#include <cstddef>
#include <string_view>

namespace asyncio::detail {

extern const std::string_view kPlayer[];
extern const std::size_t kPlayerPieces;
constinit const std::string_view kPlayer[] = {
${pieces}};
const std::size_t kPlayerPieces = ${count};

}  // namespace asyncio::detail
")
