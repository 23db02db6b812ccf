// What asyncio::gdb adds to a program: the scripts beside this file, which gdb then loads by itself, and the debug
// information of the classes that they look at, as an optimised library has none. The program itself uses none of it.
// "In gdb", a section of ../stage3_task/README.md, says more.
#include <asyncio/sleep.h>
#if __has_include(<asyncio/as_completed.h>)
#include <asyncio/as_completed.h>
#include <asyncio/gather.h>
#include <asyncio/task_group.h>
#endif
#if __has_include(<asyncio/queue.h>)
#include <asyncio/condition.h>
#include <asyncio/queue.h>
#include <asyncio/semaphore.h>
#endif
#if __has_include(<asyncio/streams.h>)
#include <asyncio/detail/ready_awaiter.h>
#include <asyncio/stream_reader.h>
#endif

/// The linker is told to look for it: otherwise it would leave this file out.
extern "C" const struct AsyncioGdbClasses {
  const asyncio::Loop* loop;
  const asyncio::detail::TaskBase* task;
  const asyncio::detail::TaskRegistry* tasks;
  const asyncio::detail::SleepAwaiter* sleep;
#if __has_include(<asyncio/as_completed.h>)
  const asyncio::TaskGroup* group;
  const asyncio::detail::CompletionQueue* completions;
  const asyncio::detail::CompletionQueue::Getter* getter;
  const asyncio::detail::Gathering* gathering;
#endif
#if __has_include(<asyncio/queue.h>)
  const asyncio::Condition* condition;
  const asyncio::Lock* lock;
  const asyncio::Event* event;
  const asyncio::Semaphore* semaphore;
  const asyncio::detail::WaitNode* node;
  const asyncio::detail::QueueBase* queue;
#endif
#if __has_include(<asyncio/streams.h>)
  const asyncio::detail::ReadyAwaiter* descriptor;
  const asyncio::StreamReader* reader;
#endif
} asyncio_gdb_classes{};

// An entry of the section .debug_gdb_scripts is a kind (4: a Python script), a name up to the end of the line, and the
// script up to a 0. This script makes modules out of the texts of our files, as `import` would out of the files.
#define MODULE(name) \
  ".ascii \"('" name "', r'''\"\n.incbin \"" ASYNCIO_GDB_FOLDER "/asyncio_gdb/" name ".py\"\n.ascii \"'''),\"\n"

asm(R"(.pushsection ".debug_gdb_scripts", "MS", %progbits, 1
       .byte 4
       .ascii "asyncio-gdb.py\nimport sys, types\n"
       .ascii "package = sys.modules['asyncio_gdb'] = types.ModuleType('asyncio_gdb')\n"
       .ascii "for name, text in (")"
    "\n" MODULE("memory") MODULE("tasks") MODULE("reprs") MODULE("commands") MODULE("backtrace") MODULE("printers")
        R"(.ascii "):\n"
       .ascii "  module = sys.modules['asyncio_gdb.' + name] = types.ModuleType('asyncio_gdb.' + name)\n"
       .ascii "  setattr(package, name, module)\n"
       .ascii "  exec(compile(text, 'asyncio_gdb/' + name + '.py', 'exec'), module.__dict__)\n"
       .byte 0
       .popsection)");
