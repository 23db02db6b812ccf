// libuv's echo server: it answers with uv_try_write(), which is its faster way. Prints its port.
#include <netinet/in.h>
#include <uv.h>

#include <cstdio>

namespace {

char data[65536];

void close(uv_handle_t* handle) {
  uv_close(handle, [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
}

void received(uv_stream_t* client, ssize_t size, const uv_buf_t*) {
  uv_buf_t buffer = uv_buf_init(data, static_cast<unsigned>(size > 0 ? size : 0));
  if (size < 0 || (size > 0 && uv_try_write(client, &buffer, 1) != size)) close(reinterpret_cast<uv_handle_t*>(client));
}

void connected(uv_stream_t* server, int status) {
  if (status < 0) return;
  auto* const client = new uv_tcp_t;
  uv_tcp_init(server->loop, client);
  auto* const stream = reinterpret_cast<uv_stream_t*>(client);
  if (uv_accept(server, stream) != 0) return close(reinterpret_cast<uv_handle_t*>(client));
  uv_tcp_nodelay(client, 1);
  const auto memory = [](uv_handle_t*, std::size_t, uv_buf_t* buffer) { *buffer = uv_buf_init(data, sizeof data); };
  uv_read_start(stream, memory, received);
}

}  // namespace

int main() {
  uv_loop_t* const loop = uv_default_loop();
  uv_tcp_t server;
  uv_tcp_init(loop, &server);
  sockaddr_in address{};
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_bind(&server, reinterpret_cast<const sockaddr*>(&address), 0);
  if (uv_listen(reinterpret_cast<uv_stream_t*>(&server), 1024, connected) != 0) return 1;
  int size = sizeof address;
  uv_tcp_getsockname(&server, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
