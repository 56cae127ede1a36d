"""A migration as a person sees it: pulls, the plan, one question, then the writes and the proof."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from dssync.cli.context import Context
from dssync.cli.render.migrate import MigrateView, shown_before
from dssync.cli.render.moved import use_sentences
from dssync.cli.render.plan import summary
from dssync.config import Remote
from dssync.core.brakes import Limit
from dssync.core.moment import chosen
from dssync.core.plan import Plan
from dssync.core.receipt import Receipt
from dssync.core.selecting import Choice
from dssync.core.snapshot import Snapshot
from dssync.errors import ConfigError, Declined, UsageError
from dssync.mirror import Mirror
from dssync.mirror.snapshots import known
from dssync.sync import Session, make_plan, planfile, pull
from dssync.sync.migrating import Wishes
from dssync.sync.migrator import Migration, Migrator, apart, refuse_other, uses_of
from dssync.sync.past import Source, open_snapshot
from dssync.sync.preparation import conflicted_entry, entries_of


def checked_wishes(
    only: tuple[str, ...],
    besides: tuple[str, ...],
    called: str | None,
    prefix: str,
    *,
    match: bool,
    missing: bool,
    same: bool,
) -> Wishes:
    """Return what is asked for; `same` tells that it is a copy in one remote. Raises UsageError."""
    choice = Choice(only, besides, called, prefix)
    if called is not None and prefix:
        raise UsageError("--as and --prefix both name the copy", hint="give one of them")
    if same and not choice.renames:
        raise UsageError(
            "a copy in the same remote needs another name", hint="give --as NAME or --prefix TEXT"
        )
    return Wishes(choice, match, missing)


@dataclass(frozen=True, slots=True)
class Migrating:
    """How to migrate. `consent` is True for any plan, or the digest of the only one to be sent.

    `file` is where the plan is kept; `dry` sends, pulls and writes nothing.
    """

    context: Context
    mirror: Mirror
    session: Session
    remotes: Mapping[str, Remote]
    source: str
    dest: str
    at: str | None
    wishes: Wishes
    consent: bool | str
    file: Path | None
    dry: bool
    limit: Limit | None

    def go(self) -> int:
        """Pull, show, ask, migrate; return the exit code. Raises what goes wrong before that."""
        self._refuse_unasked()
        pulled = Receipt("pull", None) if self.dry else self._pull()
        if pulled.troubles:
            self.context.tell_receipt(pulled)
            self.context.tell("nothing was migrated, because not everything could be read")
            return pulled.exit_code
        migrator = Migrator(
            self.mirror, self._opening(), self._remote(self.dest), self.wishes, self.limit
        )
        found = migrator.look()
        self._show(found)
        if self.dry:
            return self._finish_dry(found)
        self._consent(found)
        with self.context.watching(self.session) as session:
            # what was shown is what is done, or nothing is
            found, receipt = migrator.migrate(session, found.plan.digest)
        self.context.tell_receipt(receipt, shown_before(receipt, found.done.entries))
        return self._finish(found, _with(receipt, pulled))

    def _refuse_unasked(self) -> None:
        if not (self.consent or self.dry or self.context.screen.interactive):
            raise UsageError(
                "there is nobody to ask whether to migrate, so nothing was sent",
                hint="look at it with -n, then add -y to consent",
            )

    def _remote(self, name: str) -> Remote:
        if name not in self.remotes:
            raise ConfigError(
                f"no remote is called {name}", hint=f"there is: {', '.join(self.remotes)}"
            )
        return self.remotes[name]

    @property
    def _bundle(self) -> Path | None:
        path = self.context.given.folder / self.source
        return path if self.source not in self.remotes and path.is_file() else None

    def _pull(self) -> Receipt:
        """Pull what is read and written. Raises ConfigError for a remote that nobody named."""
        asked = [self._remote(self.dest)]
        if self._bundle is None and self.at is None and self.source != self.dest:
            asked.insert(0, self._remote(self.source))
        with self.context.watching(self.session) as session:
            pulled = pull(self.mirror, asked, session, limit=self.limit)
        if not pulled.troubles:
            self.context.tell_receipt(replace(pulled, notes=()))
        return pulled

    def _opening(self) -> Callable[[], AbstractContextManager[Source]]:
        """Return what opens the source. Raises UsageError, UnknownRun, BundleDamaged."""
        if (file := self._bundle) is not None:
            return lambda: _bundled(self.mirror, file, self.dest)
        with self.mirror.database.read() as tx:
            taken = known(tx, [self.source])
        meant: Snapshot = chosen(taken, self.at, self.source)
        return lambda: open_snapshot(self.mirror, meant)

    def _show(self, found: Migration) -> None:
        """Say what cannot be taken along, what is left, and the plan; keep it where asked to."""
        screen = self.context.screen
        view = MigrateView(found, apart(self.mirror, found), dry=self.dry)
        show = screen.tell if self.consent and not self.dry else screen.warn
        show(view.before(screen.width))
        if not self.dry and (found.plan.changes or found.plan.conflicts):
            show(view.plan_lines(screen.width))
        if self.file is not None:
            planfile.save(self.file, self.mirror, Plan(found.plan.changes), self.session.clock)
            self.context.tell(f"the plan is in {self.file}")

    def _consent(self, found: Migration) -> None:
        """See that a plan may be sent. Raises StalePlan, Declined."""
        if isinstance(self.consent, str):
            uses = uses_of(self.mirror, self.consent, found.plan)
            if not uses:
                refuse_other(found.plan, self.consent)
            self.context.tell(*use_sentences(uses, len(uses[0].rows) if uses else 0))
        elif found.plan.changes and not self.consent:
            self._ask(found)

    def _ask(self, found: Migration) -> None:
        if not self.context.screen.ask(f"Send {summary(Plan(found.plan.changes))} to {self.dest}?"):
            raise Declined("nothing was sent", hint="nothing was changed here either")

    def _finish_dry(self, found: Migration) -> int:
        unsent = entries_of(found.plan.changes, "skipped", "only shown, because of -n")
        rows = (*map(conflicted_entry, found.plan.conflicts), *found.done.entries)
        planned = len(found.plan.changes) + len(rows)
        receipt = Receipt("migrate", None, planned, (*rows, *unsent))
        return self._finish(found, receipt)

    def _finish(self, found: Migration, receipt: Receipt) -> int:
        view = MigrateView(found, apart(self.mirror, found), dry=self.dry)
        pending = None if self.dry else make_plan(self.mirror)
        return self.context.finish(view, receipt=receipt, pending=pending)


def _with(receipt: Receipt, pulled: Receipt) -> Receipt:
    """Add what the pull before could not read, or has in doubt; the later run has the later word.

    What it found in conflict is news of a pull, and no part of a migration.
    """
    later = {entry.spot for entry in receipt.entries}
    more = [
        entry
        for entry in pulled.entries
        if entry.outcome != "conflicted" and entry.spot not in later
    ]
    in_doubt = sum(entry.outcome == "in doubt" for entry in more)
    entries = (*more, *receipt.entries)
    return replace(receipt, planned=receipt.planned + in_doubt, entries=entries)


@contextmanager
def _bundled(mirror: Mirror, file: Path, to: str) -> Iterator[Source]:
    from dssync.cli.sources import carried

    yield carried(mirror, file, to)
