// Runs shell commands, one from each line of its input: only a few at a time, each with a time limit, and again if it
// fails. What they print appears line by line, with the number of the job.
//
//   job_runner LIMIT SECONDS RETRIES <jobs     printf 'make test\nsleep 100\n' | job_runner 4 30 2
//
// The exit code is 0 if all jobs succeeded.
#include <asyncio/asyncio.h>

#include <algorithm>
#include <csignal>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

Coro<> print_lines(StreamReader reader, std::string prefix) {
  for (;;) {
    const auto line = co_await reader.next_line();
    if (!line) co_return;
    std::cout << prefix << *line << (line->ends_with('\n') ? "" : "\n") << std::flush;
  }
}

/// Prints the lines of both its streams as they come, until it has ended. Returns the exit code.
Coro<int> follow(Process process, std::string name) {
  co_await gather(print_lines(*process.stdout_(), name + " | "), print_lines(*process.stderr_(), name + " ! "));
  co_return co_await process.wait();
}

/// The shell and all that it started. Whoever is left, after an error or a cancel, is killed.
struct ProcessGroup {
  int id;
  Task<int> follower;
  bool over = false;

  ~ProcessGroup() {
    if (!over) send_signal(SIGKILL);
  }
  void send_signal(int number) const { ::killpg(id, number); }
  Coro<bool> ended_within(Seconds limit) const {
    const std::vector<Task<int>> tasks(1, follower);
    co_await asyncio::wait(tasks, {.timeout = limit});
    co_return follower.done();
  }
};

/// Returns how it ended; "" if it succeeded.
Coro<std::string> run_once(const std::string& name, const std::string& command, Seconds limit, Semaphore& slots) {
  const auto slot = co_await slots.scoped();
  ProcessOptions options(subprocess::DEVNULL, subprocess::PIPE, subprocess::PIPE);
  options.process_group = 0;  // a new one
  options.limit = 1 << 20;    // bytes: the longest line
  const Process process = co_await create_subprocess_shell(command, options);
  ProcessGroup group{process.pid(), create_task(follow(process, name))};

  const bool in_time = co_await group.ended_within(limit);
  if (in_time) {
    const int code = group.follower.result();  // throws if nobody could follow it
    group.over = true;
    if (code == 0) co_return "";
    co_return code > 0 ? "exit code " + std::to_string(code) : "signal " + std::to_string(-code);
  }
  for (const int number : {SIGTERM, SIGKILL}) {
    group.send_signal(number);
    group.over = co_await group.ended_within(1s);
    if (group.over) break;
  }
  co_return "not done in time";
}

/// Tries it once and, while it fails, again: after 100 ms, 200 ms, 400 ms … No slot is taken in the pauses.
Coro<bool> run_job(std::string name, std::string command, Seconds limit, int retries, Semaphore& slots) {
  Seconds pause = 100ms;
  for (int left = retries;; --left) {
    std::string failure;
    try {
      failure = co_await run_once(name, command, limit, slots);
    } catch (const std::exception& error) {  // it could not be started, or a line was too long
      failure = error.what();
    }
    std::cout << name << ' ' << (failure.empty() ? "done" : failure) << std::endl;
    if (failure.empty()) co_return true;
    if (left == 0) co_return false;
    co_await asyncio::sleep(std::exchange(pause, 2 * pause));
  }
}

Coro<bool> run_all(std::vector<std::string> commands, int at_a_time, Seconds limit, int retries) {
  Semaphore slots(at_a_time);
  std::vector<Task<bool>> jobs;
  co_await task_group([&](TaskGroup& group) -> Coro<> {  // whose tasks have ended when `slots` goes, even at Ctrl-C
    for (int number = 1; const std::string& command : commands)
      jobs.push_back(group.create_task(run_job('[' + std::to_string(number++) + ']', command, limit, retries, slots)));
    co_return;
  });
  const auto failed = std::count_if(jobs.begin(), jobs.end(), [](const auto& job) { return !job.result(); });
  std::cout << std::ssize(jobs) - failed << " done, " << failed << " failed\n";
  co_return failed == 0;
}

int main(int argc, char** argv) {
  try {
    if (argc != 4) throw std::invalid_argument("the arguments are LIMIT, SECONDS and RETRIES");
    std::vector<std::string> commands;
    for (std::string line; std::getline(std::cin, line);) commands.push_back(line);
    auto all = run_all(commands, std::stoi(argv[1]), Seconds(std::stod(argv[2])), std::stoi(argv[3]));
    return run(std::move(all)) ? 0 : 1;
  } catch (const KeyboardInterrupt&) {
    return 130;
  } catch (const std::exception& error) {
    std::cerr << "job_runner: " << error.what() << '\n';
    return 2;
  }
}
