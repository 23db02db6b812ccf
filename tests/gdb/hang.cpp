// A program that hangs: the lesson of stage 3 shows what gdb says of it.
#include <asyncio/asyncio.h>

#include <cstdio>
#include <string>

using namespace asyncio;

Coro<int> ask(std::string question, Future<int> answer) {
  int tries = 1;
  const int result = co_await answer;
  std::printf("%s %d, after %d\n", question.c_str(), result, tries);
  co_return result;
}

Coro<int> twice(Future<int> answer) {
  const int result = co_await ask("six times seven?", answer);
  co_return 2 * result;
}

Coro<> root() {
  const Future<int> answer = create_future<int>();  // nobody sets it
  const Task<int> asker = create_task(twice(answer), {.name = "asker"});
  co_await asker;
}

int main() { run(root()); }
