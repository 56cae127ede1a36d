"""Remotes: as the configuration names them, and as a check found them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dssync.cli.render.screen import Screen
from dssync.cli.render.table import Table
from dssync.cli.render.text import Line
from dssync.cli.render.view import Document

if TYPE_CHECKING:
    from dssync.cli.checking import Checked
    from dssync.config import KeySource, Remote

FAR_OFF = 60
"""A clock that differs by more seconds than this is worth a word."""


@dataclass(frozen=True, slots=True)
class RemotesView:
    """Shows the configured remotes, never a key."""

    remotes: "Sequence[Remote]"

    def json(self) -> Document:
        """Return the remotes for programs."""
        return {"remotes": [remote_json(remote) for remote in self.remotes]}

    def draw(self, screen: Screen) -> None:
        """Print the table."""
        rows = [(r.name, r.host, r.scope, r.id, key_source(r.key)) for r in self.remotes]
        screen.table(Table(("name", "host", "scope", "id", "key"), rows))


def remote_json(remote: "Remote") -> Document:
    """Return a remote for programs."""
    return {
        "name": remote.name,
        "host": remote.host,
        "scope": remote.scope,
        "id": remote.id,
        "key": key_source(remote.key),
    }


def key_source(source: "KeySource") -> str:
    """Say where a key comes from; a command may hold secrets, so it is not shown."""
    if source.kind in ("default", "key_command"):
        return source.kind.removeprefix("key_")
    return f"{source.kind.removeprefix('key_')} {source.value}"


@dataclass(frozen=True, slots=True)
class ChecksView:
    """Shows what a check of each remote found."""

    checks: "Sequence[Checked]"

    def json(self) -> Document:
        """Return the findings for programs."""
        return {"checks": [_check_json(check) for check in self.checks]}

    def draw(self, screen: Screen) -> None:
        """Print one line for each remote that answered."""
        screen.data(_check_line(check) for check in self.checks if check.contract)


def _check_json(check: "Checked") -> Document:
    return {
        "remote": check.remote,
        "contract": check.contract,
        "team": check.team,
        "writable": check.writable,
        "clock_off_seconds": check.clock_off,
    }


def _check_line(check: "Checked") -> Line:
    team = f", team {check.team}" if check.team is not None else ""
    scopes = "reads and writes" if check.writable else "reads only"
    off = check.clock_off or 0
    clock = f"its clock is {off:+.0f} s off" if abs(off) > FAR_OFF else "clock agrees"
    return Line(f"{check.remote}: {check.contract} contract{team}, key {scopes}, {clock}")
