"""The sandbox on a socket of this machine."""

import contextlib
import io
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import IO, Any, cast
from urllib.parse import unquote
from wsgiref.types import WSGIEnvironment

from werkzeug.serving import DechunkedInput

from dssync.sandbox.app import Sandbox
from dssync.sandbox.faults import ConnectionDropped

_POLL_SECONDS = 0.02
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@contextlib.contextmanager
def serve(sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve a sandbox and yield its base URL; port 0 takes any free one.

    Connections are kept alive. On leaving, open connections are closed and every thread ends.
    Raises OSError for a port that is taken.
    """
    server = _Server((host, port), sandbox)
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), name="sandbox")
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        sandbox.stopping.set()
        server.shutdown()
        thread.join()
        server.close_connections()
        server.server_close()
        sandbox.stopping.clear()


class _Server(ThreadingMixIn, TCPServer):
    """One thread for each connection; all of them are joined at the end."""

    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        if request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == _RESET_ON_CLOSE:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP/1.1 with keep-alive, which werkzeug's own handler does not."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def answer(self) -> None:
        try:
            [body] = self.server.sandbox(self._environ(), self._start)
        except ConnectionDropped:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.close_connection = True
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection |= len(body) != self._announced

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def _start(self, status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
        self._announced = int(dict(headers)["Content-Length"])
        code, _, reason = status.partition(" ")
        self.send_response_only(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)

    def _environ(self) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        body = self._body()
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        headers = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in self.headers.items()}
        return environ | headers

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return DechunkedInput(cast(IO[bytes], self.rfile)).read()
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Stay quiet; `Sandbox.log` tells what was asked."""
