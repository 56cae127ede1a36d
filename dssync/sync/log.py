"""What happened: the runs, one run whole, and the story of a record; reads the mirror only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dssync.core.differ import difference
from dssync.core.fields import Names
from dssync.core.plan import Change, Conflicted, referred
from dssync.core.receipt import KeptRun, Receipt
from dssync.core.story import Event, State, tell
from dssync.errors import UnknownRun
from dssync.mirror import Mirror, Record, Transaction, kept, pruning, records, story, touched
from dssync.sync.planner import describer


@dataclass(frozen=True, slots=True)
class LoggedRun:
    """One run, its receipt, and the runs that took it back."""

    run: KeptRun
    receipt: Receipt
    undone_by: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """What became of a record, newest first.

    `pending` is what was not pushed yet; `runs` has the command and the start of each run that is
    still kept; `first` is the oldest state that is kept; `names` are those of the datasets in it.
    """

    record: Record
    pending: Change | Conflicted | None
    events: tuple[Event, ...]
    runs: Mapping[int, tuple[str, str]]
    first: State | None
    names: Names = ()


def read_runs(
    mirror: Mirror, limit: int, command: str | None = None, remotes: Sequence[str] = ()
) -> list[KeptRun]:
    """Return the newest runs, newest first."""
    with mirror.database.read() as tx:
        return kept.recent(tx, limit, command, remotes)


def is_run(mirror: Mirror, text: str) -> bool:
    """Tell whether text names a run, of now or of the past: a number, and no larger than any."""
    with mirror.database.read() as tx:
        return text.isascii() and text.isdigit() and 0 < int(text) <= kept.last(tx)


def read_run(mirror: Mirror, number: int) -> LoggedRun:
    """Return one run whole. Raises UnknownRun."""
    with mirror.database.read() as tx:
        run = find_run(tx, number)
        receipt = run.receipt(kept.entries(tx, number))
        return LoggedRun(run, receipt, tuple(kept.undone_by(tx, number)))


def find_run(tx: Transaction, number: int) -> KeptRun:
    """Return a run. Raises UnknownRun, which tells one that is forgotten from one to come."""
    found = kept.one(tx, number)
    if found is not None:
        return found
    newest = kept.last(tx)
    gone = 0 < number <= newest
    raise UnknownRun(
        f"run {number} is no longer kept"
        if gone
        else f"there is no run {number}; the newest is {newest}",
        hint="`dssync log` lists the runs that are kept",
    )


def read_story(mirror: Mirror, record: Record) -> Story:
    """Return what became of a record, and what is pending."""
    with mirror.database.read() as tx:
        states = story.states(tx, record.kind, record.key)
        said = kept.entries_of(tx, record.kind, record.key)
        events = tell(record.kind, states, said, pruning.kept_of(tx, record.remote))
        triple = touched.triple(tx, record.kind, record.key)
        pending = difference(triple, describer(tx)) if triple else None
        runs = kept.begun(tx, {event.run for event in events})
        names = records.names(tx, referred(d for event in events for d in event.deltas))
    first = states[0] if states else None
    return Story(record, pending, tuple(reversed(events)), runs, first, names)
