#include "rows.h"

namespace measure {
namespace {

constexpr char kRing[] = "stage1/limit_function_pointer_ring";
constexpr char kChain[] = "stage1/limit_function_pointer_chain";
constexpr char kHeap[] = "stage1/limit_priority_queue_100k";
constexpr char kFrame[] = "stage3/limit_coroutine_handle_ring/1";
constexpr char kFrames[] = "stage3/limit_coroutine_handle_ring/1000";
constexpr char kThrow[] = "stage3/limit_throw_through_2_frames";
constexpr char kSwitch[] = "stage3/sleep_0/1000";
constexpr char kEpoll[] = "stage6/limit_epoll_echo_64B";

constexpr Row kStageRows[] = {
    {"The same job at every stage: 1,000 small jobs, run to completion; time of one"},
    {"limit: a ring of function pointers", "stage1/limit_1000_jobs"},
    {"1 callbacks", "stage1/run_1000_jobs", "stage1/limit_1000_jobs"},
    {"2 futures", "stage2/run_1000_jobs", "stage1/limit_1000_jobs", "stage1/run_1000_jobs"},
    {"limit: a ring of coroutine handles", "stage3/limit_1000_jobs"},
    {"3 tasks", "stage3/run_1000_jobs", "stage3/limit_1000_jobs", "stage2/run_1000_jobs"},
    {"4 a gather", "stage4/run_1000_jobs", "stage3/limit_1000_jobs", "stage3/run_1000_jobs"},
    {"5 through a queue to 10 workers", "stage5/run_1000_jobs", "stage3/limit_1000_jobs", "stage4/run_1000_jobs"},
    {"limit: write() and read() of a socket pair", "stage6/limit_1000_jobs"},
    {"6 through a socket pair", "stage6/run_1000_jobs", "stage6/limit_1000_jobs", "stage5/run_1000_jobs"},

    {"Callbacks"},
    {"limit: a ring of function pointers", kRing},
    {"1 call_soon and run, 1,000 at once", "stage1/call_soon_burst_1000", kRing},
    {"1 call_soon and cancel", "stage1/call_soon_cancel_1000", kRing},
    {"1 call_soon_threadsafe and run", "stage1/call_soon_threadsafe", kRing},
    {"limit: the ring, one at a time", kChain},
    {"1 call_soon and run, one a tick", "stage1/call_soon_chain", kChain},

    {"Timers"},
    {"limit: std::priority_queue, 100,000", kHeap},
    {"1 call_later and fire, 100,000", "stage1/call_later_fire_100k", kHeap},
    {"1 the same, all due, real clock", "stage1/timers_due_100k", kHeap},
    {"1 call_later and cancel, 100,000", "stage1/call_later_cancel_bulk_100k", kHeap},
    {"1 call_later and cancel, beside 100,000", "stage1/call_later_cancel_one_beside_100k"},
    {"1 the same, 100 alive at a time", "stage1/call_later_cancel_window_beside_100k"},
    {"3 sleep(1ms), 1 task", "stage3/timer_sleep/1"},
    {"3 sleep(1ms), 1,000 tasks", "stage3/timer_sleep/1000"},

    {"Futures"},
    {"2 set_result and result", "stage2/future_set_result"},
    {"2 set_result, and its callback runs", "stage2/future_set_callback", kRing, "stage1/call_soon_burst_1000"},
    {"2 add and remove a callback", "stage2/future_remove_callback"},
    {"2 run_until_complete, done already", "stage2/run_until_complete_of_a_done_future"},
    {"3 set_result, and the awaiting task runs", "stage3/future_to_task", kFrames, "stage2/future_set_callback"},

    {"Tasks"},
    {"limit: resume() of 1 coroutine handle", kFrame},
    {"3 a yield, 1 task", "stage3/yield_bare/1", kFrame},
    {"3 sleep(0), 1 task", "stage3/sleep_0/1", kFrame},
    {"limit: resume() of 1,000 coroutine handles", kFrames},
    {"3 a yield, 1,000 tasks", "stage3/yield_bare/1000", kFrames},
    {"3 sleep(0), 1,000 tasks", kSwitch, kFrames},
    {"3 await a coroutine that does not suspend", "stage3/await_ready_coroutine", kFrames},
    {"3 create, run and await a task", "stage3/create_run_await", "stage3/limit_1000_jobs"},
    {"limit: an exception through 2 frames", kThrow},
    {"3 cancel a task through 2 frames", "stage3/cancel_task_through_2_frames", kThrow},
    {"4 the same, awaited by wait()", "stage4/cancel_task_through_2_frames", kThrow,
     "stage3/cancel_task_through_2_frames"},

    {"Several at once (the stage below: create, run and await one task)"},
    {"4 gather of 2", "stage4/gather_2", "", "stage3/create_run_await"},
    {"4 gather of 10", "stage4/gather_10", "", "stage3/create_run_await"},
    {"4 wait for 10", "stage4/wait_10", "", "stage3/create_run_await"},
    {"4 as_completed of 10", "stage4/as_completed_10", "", "stage3/create_run_await"},
    {"4 a tree of 10,000 leaves, each node", "stage4/skynet_10k", "", "stage3/create_run_await"},
    {"4 the same, tasks that begin at once", "stage4/skynet_10k_eager", "", "stage3/create_run_await"},
    {"4 task_group of 10", "stage4/task_group_10", "", "stage3/create_run_await"},
    {"4 shield", "stage4/shield_1", "", "stage3/create_run_await"},
    {"4 timeout that does not fire", "stage4/timeout_not_fired", "", "stage3/create_run_await"},
    {"4 wait_for that does not fire", "stage4/wait_for_not_fired", "", "stage3/create_run_await"},
    {"4 timeout that fires", "stage4/timeout_fired", "", "stage3/cancel_task_through_2_frames"},

    {"Sharing (the stage below: sleep(0), 1,000 tasks; the limit: the ring of coroutine handles)"},
    {"5 sleep(0), 1 task", "stage5/bare_yield", kFrame, "stage3/sleep_0/1"},
    {"5 sleep(0), 100 tasks", "stage5/bare_yield_100", kFrames, kSwitch},
    {"5 lock, free", "stage5/lock_uncontended", kFrames, kSwitch},
    {"5 lock, free, scoped()", "stage5/lock_scoped_uncontended", kFrames, kSwitch},
    {"5 lock, from hand to hand, 100 tasks", "stage5/lock_handover_100", kFrames, kSwitch},
    {"5 semaphore, free", "stage5/semaphore_uncontended", kFrames, kSwitch},
    {"5 semaphore, from hand to hand", "stage5/semaphore_handover_100", kFrames, kSwitch},
    {"5 event, each of 100 woken", "stage5/event_set_100", kFrames, kSwitch},
    {"5 condition, there and back", "stage5/condition_ping_pong", kFrames, kSwitch},
    {"5 barrier, each of 100", "stage5/barrier_100", kFrames, kSwitch},
    {"5 queue, put_nowait and get_nowait", "stage5/queue_put_get_nowait", kFrames, kSwitch},
    {"5 queue, put and get, with room", "stage5/queue_put_get_with_room", kFrames, kSwitch},
    {"5 queue with room for one, put -> get", "stage5/queue1_put_get", kFrames, kSwitch},
    {"5 priority queue of 100, put and get", "stage5/priority_queue_100", kFrames, kSwitch},

    {"Descriptors, and an echo of 64 bytes over TCP, both ends in this process"},
    {"limit: poll() of 2 descriptors", "stage6/limit_poll/2"},
    {"6 a busy tick, no descriptors", "stage6/poll_tick/0", kChain, "stage1/call_soon_chain"},
    {"6 a busy tick beside 1 descriptor", "stage6/poll_tick/1", kChain, "stage1/call_soon_chain"},
    {"limit: poll() of 64 descriptors", "stage6/limit_poll/64"},
    {"6 a busy tick beside 64", "stage6/poll_tick/64", kChain, "stage1/call_soon_chain"},
    {"limit: poll() of 512 descriptors", "stage6/limit_poll/512"},
    {"6 a busy tick beside 512", "stage6/poll_tick/512", kChain, "stage1/call_soon_chain"},
    {"6 add_reader and remove_reader, poll", "stage6/add_remove_reader<PollCore>"},
    {"6 add_reader and remove_reader, epoll", "stage6/add_remove_reader<EpollCore>"},
    {"limit: write, epoll_wait, read", kEpoll},
    {"limit: write, poll, read", "stage6/limit_poll_echo_64B"},
    {"6 echo, streams, 1 client", "stage6/echo_64B", kEpoll},
    {"6 echo, streams, read_into()", "stage6/echo_64B_read_into", kEpoll},
    {"6 echo, streams, 100 clients", "stage6/echo_64B_100_clients", kEpoll},
};

constexpr GrowthRow kGrowthRows[] = {
    {"callbacks ready at once", "growth/ready_callbacks", GrowthRow::constant},
    {"timers, fired", "growth/timers", GrowthRow::logarithmic},
    {"timers, cancelled", "growth/cancelled_timers", GrowthRow::logarithmic},
    {"tasks", "growth/tasks", GrowthRow::constant},
    {"waiters on one event", "growth/event_waiters", GrowthRow::constant},
    {"items in a queue", "growth/queue_items", GrowthRow::constant},
    {"children of a gather", "growth/gather_children", GrowthRow::constant},
    {"idle beside 1 active, poll", "growth/idle_beside_1_poll", GrowthRow::linear},
    {"idle beside 1, epoll", "growth/idle_beside_1_epoll", GrowthRow::constant},
    {"idle beside 100, poll", "growth/idle_beside_100_poll", GrowthRow::linear},
    {"idle beside 100, epoll", "growth/idle_beside_100_epoll", GrowthRow::constant},
};

constexpr Row kMemoryRows[] = {
    {"pending callback", "memory/pending_callback"},
    {"timer", "memory/timer"},
    {"future", "memory/future"},
    {"sleeping task", "memory/sleeping_task"},
    {"open connection, the server's side", "memory/open_connection"},
};

}  // namespace

std::span<const Row> stage_rows() { return kStageRows; }
std::span<const GrowthRow> growth_rows() { return kGrowthRows; }
std::span<const Row> memory_rows() { return kMemoryRows; }

}  // namespace measure
