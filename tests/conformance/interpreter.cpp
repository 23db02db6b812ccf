// The scenarios of this folder on our asyncio.
//
//   interpreter [file]          runs the programs of a file (or of stdin), one a line; prints each log and a line "%"
//   interpreter --check files   runs the programs of the corpus and compares the logs with CPython's, kept beside them
//   interpreter --check-observed files   the same, with an observer on each loop: see checking_observer.h
#include "../support/checking_observer.h"
#include "scenario.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

namespace {

std::string log_of(const std::string& program) {
  try {
    return asyncio::conformance::run_program(program);
  } catch (const std::exception& error) {
    return std::string("not run: ") + error.what() + "\n";
  }
}

int print_logs(std::istream& programs) {
  for (std::string program; std::getline(programs, program);) {
    if (program.empty()) continue;
    const std::string log = log_of(program) + "%\n";
    std::fwrite(log.data(), 1, log.size(), stdout);
  }
  return 0;
}

/// Counts what differs in one file of the corpus: a line "> program", then its log, up to the next such line.
int check(std::istream& corpus, const char* file, int& programs) {
  int differences = 0;
  std::string line, program, expected;
  const auto compare = [&] {
    if (program.empty()) return;
    ++programs;
    const std::string log = log_of(program);
    if (log == expected || ++differences > 5) return;
    std::cout << file << ": not as CPython\n  " << program << "\n--- CPython\n" << expected << "--- ours\n" << log;
  };
  while (std::getline(corpus, line)) {
    if (line.starts_with("> ")) {
      compare();
      program = line.substr(2);
      expected.clear();
    } else {
      expected += line + "\n";
    }
  }
  compare();
  return differences;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return print_logs(std::cin);
  const bool observed = std::strcmp(argv[1], "--check-observed") == 0;
  if (!observed && std::strcmp(argv[1], "--check") != 0) {
    std::ifstream programs(argv[1]);
    if (!programs) return std::perror(argv[1]), 2;
    return print_logs(programs);
  }
  using asyncio::testing::CheckingObserver;
  if (observed) asyncio::observe_new_loops([](asyncio::Loop&) { return std::make_shared<CheckingObserver>(); });
  int programs = 0, differences = 0;
  for (int i = 2; i < argc; ++i) {
    std::ifstream corpus(argv[i]);
    if (!corpus) return std::perror(argv[i]), 2;
    differences += check(corpus, argv[i], programs);
  }
  std::cout << programs << " programs, " << differences << " not as CPython\n";
  if (observed) std::cout << CheckingObserver::events << " events, " << CheckingObserver::faults << " faults\n";
  if (observed && (CheckingObserver::events == 0 || CheckingObserver::faults > 0)) return 1;
  return differences == 0 && programs > 0 ? 0 : 1;
}
