"""Real interactive shells on a terminal of their own, in which TAB is pressed."""

import json
import os
import pty
import select
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHELLS: Mapping[str, Sequence[str]] = {
    "bash": ("bash", "--noprofile", "--norc", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "--interactive"),
}

START: Mapping[str, str] = {
    "bash": 'eval "$(dssync completion bash)"',
    "zsh": 'autoload -Uz compinit; compinit -u -D; eval "$(dssync completion zsh)"',
    "fish": "dssync completion fish | source",
}

PROGRAM = """\
#!{python}
import json, pathlib, sys
if sys.argv[1:2] in (["__complete"], ["completion"]):
    from dssync.cli import main
    main()
with pathlib.Path({noted!r}).open("a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
"""

PATIENCE = 30
"""Seconds until a line must have been run."""


@dataclass(frozen=True)
class Terminal:
    """Types into a shell in `folder`, whose `dssync` completes, and else notes its words."""

    shell: str
    folder: Path

    def words(self, lines: Sequence[str]) -> list[list[str]]:
        """Return the words that dssync was called with by each of the lines."""
        noted, programs = self.folder / "called", self.folder / "bin"
        programs.mkdir()
        program = programs / "dssync"
        program.write_text(PROGRAM.format(python=sys.executable, noted=str(noted)))
        program.chmod(0o755)
        pid, terminal = pty.fork()
        if pid == 0:
            command = list(SHELLS[self.shell])
            own = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(self.folder)}
            quiet = {"LC_ALL": "C.UTF-8", "TERM": "dumb", "HISTFILE": ""}
            os.execvpe(command[0], command, {**os.environ, **own, **quiet})
        try:
            for number, line in enumerate([f"{START[self.shell]}; dssync ready", *lines], 1):
                os.write(terminal, f"{line}\n".encode())
                _until_called(terminal, noted, number)
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)
        return [json.loads(line) for line in noted.read_text().splitlines()[1:]]


def _until_called(terminal: int, noted: Path, times: int) -> None:
    """Read what the shell shows until the program was called so often."""
    shown, end = b"", time.monotonic() + PATIENCE
    while not noted.exists() or noted.read_text().count("\n") < times:
        assert time.monotonic() < end, shown.decode("utf-8", "replace")
        if select.select([terminal], [], [], 0.02)[0]:
            shown += os.read(terminal, 65536)


def found(shell: str) -> bool:
    return shutil.which(shell) is not None
