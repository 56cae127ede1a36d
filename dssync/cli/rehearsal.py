"""The demo's script, and the stage it is played on: real commands, in processes of their own."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dssync
from dssync.cli.context import Context
from dssync.cli.render.text import Line
from dssync.cli.verifying import EDITS

_SQL = """\
import sqlite3

mirror = sqlite3.connect("mirror.db")
mirror.execute('''
    UPDATE items SET metadata = json_set(metadata, '$.{key}', '{value}')
    WHERE key = '{item}'
''')
mirror.commit()
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One command, as it is typed, a word on it, and what it reads from standard input."""

    words: Sequence[str]
    remark: str = ""
    script: str = ""

    @property
    def command(self) -> str:
        """Write the command as it would be typed."""
        typed = shlex.join(self.words)
        return f"{typed} <<'END'\n{self.script}END" if self.script else typed

    @property
    def arguments(self) -> list[str]:
        """Return what is really run."""
        program, *rest = self.words
        module = ["-m", "dssync"] if program == "dssync" else []
        return [sys.executable, *module, *rest]


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that did not end well."""

    command: str
    code: int


def script(url: str) -> Iterator[Step]:
    """Yield the steps: pull, three edits offline, look, push, and look again."""
    sql = _SQL.format(key=EDITS.metadata_key, value=EDITS.metadata_value, item=EDITS.changed_item)
    yield Step(["dssync", "remote", "add", "demo", "--host", url, "--project", "1"])
    yield Step(["dssync", "pull"])
    yield Step(
        ["dssync", "set", EDITS.dataset_name, "description", EDITS.description], "edit offline:"
    )
    yield Step(["python", "-"], "edit with SQL; the mirror notices:", sql)
    yield Step(["dssync", "delete", EDITS.deleted_item])
    yield Step(["dssync", "status"])
    yield Step(["dssync", "diff"])
    yield Step(["dssync", "push", "-y"])
    yield Step(["dssync", "pull"], "nothing is left to do:")
    yield Step(["dssync", "diff", "--exit-code"])


class Stage:
    """Plays a script in a folder, every line of it where people look."""

    def __init__(self, context: Context, folder: Path, key: str) -> None:
        self._context = context
        self._folder = folder
        self._env = _environment(folder, key)
        screen = context.screen
        self._stream = screen.err if context.given.json else screen.out
        self._print = screen.warn if context.given.json else screen.data
        # A configuration of the folder's own, so that the user's is neither read nor edited.
        (folder / "dssync.toml").touch()

    def say(self, sentence: str) -> None:
        """Print a sentence among the commands."""
        self._print([Line(), Line(sentence, "head")])

    def play(self, steps: Iterator[Step]) -> Ended | None:
        """Run the steps one after another; return the one that ends with anything but 0."""
        for step in steps:
            if step.remark:
                self._print([Line(), Line(f"# {step.remark}", "dim")])
            first, *more = step.command.split("\n")
            self._print([Line(), Line(f"$ {first}", "head"), *map(Line, more)])
            code = self._run(step)
            if code:
                return Ended(step.command, code)
        return None

    def _run(self, step: Step) -> int:
        stream = self._stream.fileno()
        return subprocess.run(
            step.arguments,
            cwd=self._folder,
            env=self._env,
            input=step.script.encode(),
            stdout=stream,
            stderr=stream,
            check=False,
        ).returncode


def _environment(folder: Path, key: str) -> dict[str, str]:
    """Return a clean environment: no key, no setting and no proxy of the user's."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("POSTHOG_", "DSSYNC_"))
    }
    package = str(Path(dssync.__file__).parents[1])
    return env | {
        "HOME": str(folder),
        "DSSYNC_STATE_DIR": str(folder / "state"),
        "POSTHOG_PERSONAL_API_KEY": key,
        "PYTHONPATH": os.pathsep.join(filter(None, [package, env.get("PYTHONPATH")])),
    }
