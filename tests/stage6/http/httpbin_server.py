# httpbin on a free port of this machine; prints "port N" when it listens. Connections stay open from one request to the
# next (HTTP/1.1), and GET /_connections tells how many there have been.
# With a certificate and its key as arguments, the same over TLS on another port: "tls port N".
import sys
import threading

from httpbin import app
from werkzeug.serving import WSGIRequestHandler, make_server

connections = 0


class Handler(WSGIRequestHandler):
    protocol_version = 'HTTP/1.1'

    def setup(self):
        global connections
        connections += 1
        super().setup()

    def send_header(self, name, value):
        if name.lower() != 'connection':  # werkzeug would say "close", always
            super().send_header(name, value)


def counting(environ, start_response):
    if environ['PATH_INFO'] != '/_connections':
        return app(environ, start_response)
    body = str(connections).encode()
    start_response('200 OK', [('Content-Length', str(len(body)))])
    return [body]


server = make_server('127.0.0.1', 0, counting, threaded=True, request_handler=Handler)
print('port', server.server_port, flush=True)
if len(sys.argv) > 2:
    tls = make_server('127.0.0.1', 0, counting, threaded=True, request_handler=Handler, ssl_context=tuple(sys.argv[1:3]))
    threading.Thread(target=tls.serve_forever, daemon=True).start()
    print('tls port', tls.server_port, flush=True)
print('ready', flush=True)
server.serve_forever()
