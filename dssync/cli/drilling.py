"""A drill as whoever started it sees it: the report, and the heartbeat."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from dssync.backup import age
from dssync.backup.drill import Drilled, drill
from dssync.backup.heartbeat import Heartbeat
from dssync.cli.backing import as_ours
from dssync.cli.context import Context
from dssync.cli.render.backup import as_text, exit_line
from dssync.cli.render.drill import DrillView
from dssync.cli.render.error import sentence_lines
from dssync.cli.render.screen import PLAIN_WIDTH
from dssync.cli.render.text import sentence
from dssync.config import Settings
from dssync.core.receipt import warning
from dssync.errors import Interrupted, UsageError
from dssync.policy import Offsite
from dssync.sync import Session


def offsite_of(settings: Settings) -> Offsite:
    """Return where copies go. Raises UsageError where nothing says so."""
    if settings.offsite is None:
        raise UsageError(
            f"{settings.file} has no [offsite], which says where copies lie",
            hint='[offsite] with to = "FOLDER" or to = "s3://bucket/prefix"',
        )
    return settings.offsite


def identities_of(identity: Path | None) -> Sequence[Any]:
    """Return the keys of a file, none without one. Raises UsageError."""
    return age.identities_in(identity) if identity else ()


@contextmanager
def leaving() -> Iterator[None]:
    """Have SIGTERM raise Interrupted, so that what was unpacked does not stay behind."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise Interrupted(number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True, slots=True)
class Drills:
    """Where copies lie, the keys that open them, and whom to tell."""

    context: Context
    offsite: Offsite
    identities: Sequence[Any]
    session: Session
    heartbeat: Heartbeat

    @classmethod
    def of(cls, context: Context, identity: Path | None) -> "Drills":
        """Read configuration and keys; what is wrong with them is said before anything begins."""
        settings = context.settings()
        offsite = offsite_of(settings)
        return cls(
            context,
            offsite,
            identities_of(identity),
            context.session(),
            Heartbeat.of(settings.notice),
        )

    def go(self, name: str | None, keep: Path | None) -> int:
        """Drill, tell everybody, and return the exit code. Raises DssyncError."""
        self._warn(self.heartbeat.started())
        try:
            with self.context.watching(self.session) as session:
                only = self.context.given.remotes
                done = drill(self.offsite, session, name, self.identities, keep, only)
        except BaseException as error:  # whatever it is, whoever watches is told of it
            said = as_ours(error)
            lines = [*sentence_lines(said.message, said.hint), exit_line(said.exit_code)]
            self._warn(self.heartbeat.ended(said.exit_code, as_text(lines)))
            raise
        return self._tell(done, keep)

    def _tell(self, done: Drilled, keep: Path | None) -> int:
        view = DrillView(done, keep if keep and not done.checked.exit_code else None)
        report = [*view.lines(PLAIN_WIDTH)]
        report += [exit_line(done.exit_code)] if done.exit_code else []
        self._warn(self.heartbeat.ended(done.exit_code, as_text(report)))
        given = self.context.given
        if done.exit_code or given.json or not given.quiet:
            self.context.finish(view)
        return done.exit_code

    def _warn(self, warnings: Sequence[str]) -> None:
        for each in warnings:
            width = self.context.screen.width
            self.context.screen.warn(sentence(warning(each), width, tone="error"))
