"""Run the command line in this process, and look at what it printed."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any

import pytest

from dssync.cli.app import run
from dssync.cli.options import Given


class Stream(io.StringIO):
    """What stands in for a standard stream; `terminal` tells what it says it is."""

    def __init__(self, text: str = "", *, terminal: bool = False) -> None:
        super().__init__(text)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def well(self) -> "Result":
        """Fail with what was said, unless all went well."""
        assert self.code == 0, self.err
        return self

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def last(self) -> str:
        """Return the last line for people."""
        return self.err.splitlines()[-1]


class Shell:
    """Call it with the words of a command line; `terminal` puts a person in front of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str, stdin: str = "", terminal: bool = False) -> Result:
        out, err = Stream(terminal=terminal), Stream(terminal=terminal)
        with self._monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr("sys.stdin", Stream(stdin, terminal=terminal))
            code = run(words, Given())
        return Result(code, out.getvalue(), err.getvalue())
