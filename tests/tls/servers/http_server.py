"""`http.server` with our context on its listening socket; the thread of each connection shakes its own hands.

With `do_handshake_on_connect` left at True, accept() would do it: one idle connection would stop all others.
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import BaseServer

from tests.tls.servers.answers import answered
from tests.tls.servers.given import given


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        status, text = answered(self.path, self.connection)
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 as http.server calls it
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Does not print a traceback for each client that hangs up."""

    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: refused handshakes are events."""


def serve(server: BaseServer) -> None:
    """Serve until the process is ended."""
    server.serve_forever()


if __name__ == "__main__":
    told = given()
    context = told.tls.context()  # before it listens: whoever finds it there finds TLS
    made = Server(("127.0.0.1", told.port), Handler)
    made.socket = context.wrap_socket(made.socket, server_side=True, do_handshake_on_connect=False)
    serve(made)
