"""Whoever watches, on a real socket: notes what it is told, and may behave badly."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = "b1946ac9-secret"


@dataclass
class Listener:
    """`status` is what it answers; with `hang` nothing, with `drip` a byte now and then."""

    url: str = ""
    told: list[tuple[str, str, str]] = field(default_factory=list)
    status: int = 200
    gets_only: bool = False
    hang: bool = False
    drip: bool = False
    location: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.told]


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on a port of this machine, until the block ends."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            listener.told.append((self.command, self.path, body.decode()))
            if listener.hang:
                listener.over.wait(30)
                return
            while listener.drip and not listener.over.wait(0.05):
                self.wfile.write(b"H")
            wrong = listener.gets_only and self.command != "GET"
            self.send_response(405 if wrong else listener.status)
            if listener.location:
                self.send_header("Location", listener.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    listener.url = f"http://127.0.0.1:{server.server_address[1]}/ping/{SECRET}"
    try:
        yield listener
    finally:
        listener.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
