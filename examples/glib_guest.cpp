// A guest in GLib's main loop, as in a program with windows: GLib waits, for its own sources and for ours. A heartbeat
// of GLib's stands for the windows; meanwhile coroutines of ours pass lines on to all clients of a port.
//
//   glib_guest [PORT]        without one the system chooses; the line "stop" of a client ends the program
#include <asyncio/asyncio.h>
#include <glib.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <string>

using namespace asyncio;

// ── what any program needs: a GSource that asks the guest how long to wait, and runs its ticks ──

struct GuestSource {
  GSource base;
  Guest* guest;
  int watched;   // the guest's descriptor …
  gpointer tag;  // … and GLib's name for that watch
  void (*on_end)();
};

gint milliseconds(const std::optional<Duration>& limit) {
  if (!limit) return -1;
  const Duration at_most_a_day = std::min<Duration>(*limit, std::chrono::hours(24));  // a gint holds no more than 24
  return static_cast<gint>(std::chrono::ceil<std::chrono::milliseconds>(at_most_a_day).count());
}

gboolean prepare(GSource* source, gint* timeout) {
  auto& self = *reinterpret_cast<GuestSource*>(source);
  if (const int now = self.guest->descriptor(); now != self.watched) {
    if (self.tag) g_source_remove_unix_fd(source, self.tag);
    self.tag = g_source_add_unix_fd(source, now, G_IO_IN);
    self.watched = now;
  }
  *timeout = milliseconds(self.guest->timeout());
  return *timeout == 0;
}

gboolean check(GSource* source) {
  auto& self = *reinterpret_cast<GuestSource*>(source);
  return g_source_query_unix_fd(source, self.tag) != 0 || milliseconds(self.guest->timeout()) == 0;
}

gboolean dispatch(GSource* source, GSourceFunc, gpointer) {
  auto& self = *reinterpret_cast<GuestSource*>(source);
  try {
    if (self.guest->tick()) return G_SOURCE_CONTINUE;
  } catch (...) {  // KeyboardInterrupt, SystemExit: nothing may be thrown through GLib, which is C
    std::cerr << "the guest was interrupted\n";
  }
  self.on_end();
  return G_SOURCE_REMOVE;
}

/// Lets GLib run the guest. `on_end` is called when it has ended. REQUIRES: the guest outlives the source.
GSource* attach(Guest& guest, void (*on_end)()) {
  static GSourceFuncs functions = {prepare, check, dispatch, nullptr, nullptr, nullptr};
  GSource* const source = g_source_new(&functions, sizeof(GuestSource));
  auto& self = *reinterpret_cast<GuestSource*>(source);
  self.guest = &guest;
  self.watched = -1;  // and what g_source_new() made zero: there is no tag
  self.on_end = on_end;
  g_source_attach(source, nullptr);
  return source;
}

// ── the guest ──
Coro<> serve(int port) {
  Event stop;
  const auto echo = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    for (;;) {
      const std::string line = co_await reader.readline();
      if (line.empty()) co_return;
      if (line == "stop\n") stop.set();
      writer.write(line);
      co_await writer.drain();
    }
  };
  Server server = co_await start_server(echo, "127.0.0.1", port);
  std::cout << "port " << server.port() << std::endl;
  co_await stop.wait();
  server.close();
  server.close_clients();
  co_await server.wait_closed();
}

// ── the host ──
GMainLoop* main_loop = nullptr;
int heartbeats = 0;

gboolean on_heartbeat(gpointer) {
  ++heartbeats;
  return G_SOURCE_CONTINUE;
}

int main(int argc, char** argv) {
  main_loop = g_main_loop_new(nullptr, FALSE);
  g_timeout_add(5, on_heartbeat, nullptr);
  int exit_code = 0;
  {
    auto guest = start_guest_run(serve(argc > 1 ? std::atoi(argv[1]) : 0));
    GSource* const source = attach(guest, [] { g_main_loop_quit(main_loop); });
    g_main_loop_run(main_loop);
    try {
      guest.result();
    } catch (const std::exception& error) {
      std::cerr << "glib_guest: " << error.what() << '\n';
      exit_code = 1;
    }
    g_source_destroy(source);
    g_source_unref(source);
  }
  g_main_loop_unref(main_loop);
  std::cout << "GLib's heart beat " << (heartbeats > 0 ? "meanwhile" : "not once") << std::endl;
  return exit_code;
}
