"""A backup as whoever started it sees it: the report, the heartbeat, the metrics, the log."""

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from random import random

import click

from dssync import version
from dssync.backup import metrics
from dssync.backup.heartbeat import Heartbeat
from dssync.backup.metrics import Attempt
from dssync.backup.nightly import BackedUp, Orders, backup
from dssync.cli.context import Context
from dssync.cli.forgetting import NOTHING
from dssync.cli.render.backup import BackupView, as_text, exit_line, report_lines, report_text
from dssync.cli.render.error import sentence_lines, unexpected
from dssync.cli.render.jsonlog import STANDARD_OUTPUT, JsonLog
from dssync.cli.render.text import Line, counted, sentence
from dssync.config import Settings
from dssync.core.brakes import Limit
from dssync.core.metrics import Family
from dssync.core.nightly import delay
from dssync.core.receipt import warning
from dssync.errors import DssyncError, Interrupted, UsageError
from dssync.events import Event
from dssync.mirror import Mirror
from dssync.sync import Session


@dataclass(frozen=True, slots=True)
class Wishes:
    """The options of the command; times in seconds."""

    wait: float
    max_wait: float | None
    jitter: float
    prune: bool
    limit: Limit | None
    log_json: str | None


@dataclass(frozen=True, slots=True)
class Backs:
    """How to back up, and whom to tell."""

    context: Context
    settings: Settings
    orders: Orders
    session: Session
    heartbeat: Heartbeat
    log: JsonLog | None
    jitter: float

    @classmethod
    def of(cls, context: Context, wishes: Wishes) -> "Backs":
        """Read the configuration; whatever is wrong with it is said before anything begins."""
        if wishes.log_json == STANDARD_OUTPUT and context.given.json:
            raise UsageError("--json and --log-json - would both print to standard output")
        settings = context.settings()
        remotes = context.remotes(settings)
        rules = {each.name: each.keep or settings.keep or NOTHING for each in remotes}
        session = context.session(wishes.wait, wishes.max_wait)
        heartbeat = Heartbeat.of(settings.notice)
        folder, clock = context.given.folder, session.clock
        log = JsonLog.to(wishes.log_json, folder, "backup", clock) if wishes.log_json else None
        orders = Orders(remotes, rules, settings.offsite, wishes.prune, wishes.limit)
        return cls(context, settings, orders, session, heartbeat, log, wishes.jitter)

    def go(self) -> int:
        """Wait for the hour, back up, tell everybody; return the exit code. Raises DssyncError."""
        clock = self.session.clock
        clock.sleep(delay(self.jitter, random()))
        begun = clock.now()
        if self.log:
            self.log.begin(version(), [remote.name for remote in self.orders.remotes])
        warnings = self.heartbeat.started()
        try:
            done, families = self._back_up()
        except BaseException as error:  # whatever it is, whoever watches is told of it
            self._fell(error, begun, warnings)
            raise
        return self._tell(done, begun, warnings, families)

    def _back_up(self) -> tuple[BackedUp, list[Family]]:
        context, names = self.context, [remote.name for remote in self.orders.remotes]
        with context.mirror(self.settings, create=True) as mirror:
            with context.watching(self.session) as session, self._logged(session) as logged:
                done = backup(mirror, self.orders, logged)
            return done, self._families(mirror, done, names)

    @contextmanager
    def _logged(self, session: Session) -> Iterator[Session]:
        log, show = self.log, session.report

        def both(event: Event) -> None:
            show(event)
            if log:
                log(event)

        yield replace(session, report=both)

    def _families(self, mirror: Mirror, done: BackedUp, names: Sequence[str]) -> list[Family]:
        if self.settings.notice.textfile is None:
            return []
        found: list[Family] = []
        if done.copied:
            now = self.session.clock.now()
            found += metrics.of_copy(done.copied, done.seconds["copy"], now)
        with suppress(DssyncError):  # the receipt says what is wrong; the file keeps what it says
            found += metrics.of_mirror(mirror, names)
        return found

    def _tell(
        self, done: BackedUp, begun: datetime, warnings: list[str], families: list[Family]
    ) -> int:
        """Tell the metrics, the heartbeat and the log, then people; each hears of those before."""
        receipt, given = done.receipt, self.context.given
        told = [*receipt.warnings, *warnings]
        told += self._measure(begun, receipt.exit_code, len(told), families)
        report = report_text(replace(receipt, warnings=tuple(told)))
        told += self.heartbeat.ended(receipt.exit_code, report)
        receipt = replace(receipt, warnings=tuple(told))
        if self.log:
            self.log.end(receipt, begun, _copy_facts(done))
            receipt = replace(receipt, warnings=(*told, *self._unlogged()))
        screen = self.context.screen
        show = screen.warn if receipt.exit_code or receipt.warnings else screen.tell
        show(report_lines(receipt, screen.width, everything=given.verbose))
        view = BackupView(replace(done, receipt=receipt))
        if given.json:
            self.context.document(view, receipt)
        return receipt.exit_code

    def _measure(
        self, begun: datetime, exit_code: int, warnings: int, families: Sequence[Family]
    ) -> list[str]:
        path = self.settings.notice.textfile
        if path is None:
            return []
        seconds = (self.session.clock.now() - begun).total_seconds()
        attempt = Attempt(begun, seconds, exit_code, warnings)
        return metrics.write(path, [*attempt.families(), *families])

    def _fell(self, error: BaseException, begun: datetime, warnings: list[str]) -> None:
        """Tell everybody of a backup that ended without a receipt."""
        said = as_ours(error)
        told = [*warnings, *self._measure(begun, said.exit_code, len(warnings), [])]
        lines = [*sentence_lines(said.message, said.hint), exit_line(said.exit_code)]
        told += self.heartbeat.ended(said.exit_code, as_text([*map(_warned, told), *lines]))
        if self.log:
            self.log.fall(said.exit_code, said.message, begun)
            told += self._unlogged()
        width = self.context.screen.width
        for each in told:
            self.context.screen.warn(sentence(warning(each), width, tone="error"))

    def _unlogged(self) -> list[str]:
        if self.log is None:
            return []
        self.log.close()
        lost = counted(self.log.lost, "line")
        return [f"{lost} of the log could not be written"] if self.log.lost else []


def _warned(text: str) -> Line:
    return Line(warning(text))


def as_ours(error: BaseException) -> DssyncError:
    """Return the error to tell of, whatever it was that ended a job."""
    if isinstance(error, DssyncError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return Interrupted(signal.SIGINT)
    return unexpected(error)


def _copy_facts(done: BackedUp) -> dict[str, object]:
    copied = done.copied
    return {
        "copy": {"name": copied.name, "place": copied.place, "bytes": copied.bytes}
        if copied
        else None,
        "steps": {name: round(seconds, 3) for name, seconds in done.seconds.items()},
    }
