"""Events as lines of JSON, for whatever collects logs; each line is one object."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, TextIO

from dssync.cli.render.text import plain_json
from dssync.clock import Clock, stamp
from dssync.errors import UsageError
from dssync.events import Event, ScanEnded, StepEnded

if TYPE_CHECKING:
    from dssync.core.receipt import Receipt

STANDARD_OUTPUT = "-"


class JsonLog:
    """Writes a line for each event of a command, and for its beginning and end.

    Any thread may report. What cannot be written is counted in `lost`, and stops nothing.
    """

    def __init__(self, stream: TextIO, command: str, clock: Clock) -> None:
        self.lost = 0
        self._stream = stream
        self._command = command
        self._clock = clock
        self._alone = Lock()

    @classmethod
    def to(cls, target: str, folder: Path, command: str, clock: Clock) -> "JsonLog":
        """Write to a file, after what it holds, or to standard output. Raises UsageError."""
        if target == STANDARD_OUTPUT:
            return cls(sys.stdout, command, clock)
        path = folder / Path(target).expanduser()
        try:
            _refuse_other(path)
            stream = path.open("a", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}") from None
        return cls(stream, command, clock)

    def __call__(self, event: Event) -> None:
        """Write an event."""
        bad = (isinstance(event, StepEnded) and not event.whole) or (
            isinstance(event, ScanEnded) and event.outcome == "partial"
        )
        self._write(_name(event), "warning" if bad else "info", asdict(event))

    def begin(self, version: str, remotes: list[str]) -> None:
        """Write that the command begins."""
        self._write("started", "info", {"version": version, "remotes": remotes})

    def end(self, receipt: "Receipt", begun: datetime, facts: Mapping[str, object]) -> None:
        """Write how the command ended."""
        troubles = [asdict(trouble) for trouble in receipt.troubles]
        said: dict[str, object] = {
            "run": receipt.run,
            "exit_code": receipt.exit_code,
            **self._since(begun),
            **{
                word: sum(getattr(scan, word) for scan in receipt.scans)
                for word in ("listed", "new", "changed", "absent")
            },
            **facts,
            "troubles": troubles,
            "warnings": list(receipt.warnings),
            "notes": list(receipt.notes),
        }
        level = "error" if receipt.exit_code else "warning" if receipt.warnings else "info"
        self._write("ended", level, said)

    def fall(self, exit_code: int, message: str, begun: datetime) -> None:
        """Write that the command ended without a receipt."""
        said = {"run": None, "exit_code": exit_code, **self._since(begun), "message": message}
        self._write("ended", "error", said)

    def _since(self, begun: datetime) -> Mapping[str, object]:
        return {"seconds": round((self._clock.now() - begun).total_seconds(), 3)}

    def _write(self, event: str, level: str, said: Mapping[str, object]) -> None:
        head: dict[str, object] = {
            "time": stamp(self._clock.now()),
            "level": level,
            "command": self._command,
            "event": event,
        }
        line = plain_json(json.dumps(head | dict(said), ensure_ascii=False)) + "\n"
        with self._alone:
            try:
                self._stream.write(line)
                self._stream.flush()
            except OSError:
                self.lost += 1

    def close(self) -> None:
        """Let go of the file."""
        if self._stream is not sys.stdout:
            try:
                self._stream.close()
            except OSError:
                self.lost += 1


def _refuse_other(path: Path) -> None:
    """Refuse a file that is something else, such as a mirror. Raises UsageError, OSError."""
    if not path.is_file():
        return
    with path.open("rb") as there:
        if there.read(1) not in (b"", b"{"):
            raise UsageError(
                f"{path} is no log of JSON lines, so nothing is added to it",
                hint="name another file",
            )


def _name(event: Event) -> str:
    name = type(event).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
