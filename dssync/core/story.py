"""Tell a record's story: which run, whose change, field by field.

The mirror keeps the states in which it saw a record on the server, and what its own runs applied.
Between two states, what a run applied is this mirror's change, and every other difference is
somebody else's: before it, where a push found another value than the mirror held, and after it.
Where states were pruned, nobody can tell whose a difference is, and the story says just that.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dssync.core.fields import KINDS, KindName, Stored, Values
from dssync.core.plan import Action, Delta
from dssync.core.receipt import Entry, Outcome
from dssync.core.values import differing, equal


@dataclass(frozen=True, slots=True)
class State:
    """What the server held of a record from `run` on, as the mirror saw it.

    `created_by` is an email address; `absent_since` is set once the server shows it no longer;
    `until_run` is the run that ended it, None while it stands.
    """

    run: int
    id: str | None
    values: Values
    created_at: str | None
    updated_at: str | None
    absent_since: str | None = None
    created_by: str | None = None
    until_run: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that became of a record.

    `run` is the run that did it (`who` is `here`) or noticed it (`there`), `at` the server's time
    of it. What a run wanted and did not do has another outcome than `applied`, and a reason.
    `pruned` is the first state that is kept after some that were pruned.
    """

    run: int
    who: Literal["here", "there"]
    what: Action | Literal["first seen", "pruned"]
    deltas: tuple[Delta, ...] = ()
    at: str | None = None
    outcome: Outcome = "applied"
    reason: str = ""


Said = Sequence[tuple[int, Entry]]
"""What runs had to say of a record, oldest first."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How far back the past of a remote is kept: whole after run `through`, and from `first` on."""

    through: int = 0
    first: int = 0

    def between(self, before: State | None, state: State) -> bool:
        """Tell whether states are missing, or may be, just before one."""
        if before is None:
            return self.first < state.run <= self.through
        return before.until_run is not None and before.until_run < state.run <= self.through


def tell(
    kind: KindName, states: Sequence[State], said: Said, pruned: Pruned = Pruned()
) -> list[Event]:
    """Return what became of a record, oldest first."""
    applied = [(run, e) for run, e in said if e.outcome == "applied" and e.action != "read"]
    events = [*_applied(kind, states, applied, pruned), *map(_not_applied, _rest(said))]
    return sorted(events, key=lambda event: event.run)


def _rest(said: Said) -> Said:
    """Return what did not come about; a record that was only skipped has no part in its story."""
    return [(run, e) for run, e in said if e.outcome not in ("applied", "skipped", "unreadable")]


def _not_applied(word: tuple[int, Entry]) -> Event:
    run, entry = word
    action: Action = "update" if entry.action == "read" else entry.action
    return Event(run, "here", action, entry.deltas, None, entry.outcome, entry.reason)


def _applied(
    kind: KindName, states: Sequence[State], applied: Said, pruned: Pruned
) -> Iterator[Event]:
    held: Values | None = None
    since = -1
    for before, state in zip((None, *states), states, strict=False):
        mine = [(run, entry) for run, entry in applied if since < run <= state.run]
        if pruned.between(before, state):
            yield from _over_a_gap(kind, before, state, mine)
            held, since = state.values, state.run
            continue
        if held is None:
            made = next((entry for _, entry in mine if entry.action == "create"), None)
            if made is None:
                yield Event(state.run, "there", "first seen", at=state.created_at)
            held = dict.fromkeys(KINDS[kind].names) if made else state.values
        held = yield from _ours(kind, held, mine)
        yield from _theirs(kind, held, state)
        held, since = state.values, state.run
    late = [(run, entry) for run, entry in applied if run > since]
    yield from _ours(kind, held or dict.fromkeys(KINDS[kind].names), late)


def _over_a_gap(kind: KindName, before: State | None, state: State, mine: Said) -> Iterator[Event]:
    """Yield what runs applied, and what is different after states that nobody knows any more."""
    for run, entry in mine:
        yield _done(run, entry)
    if before is None:
        yield Event(state.run, "there", "pruned", reason="what it was before was pruned")
        return
    names = differing(KINDS[kind].fields, before.values, state.values)
    deltas = tuple(Delta(name, before.values[name], state.values[name]) for name in names)
    gap = f"what it was from run {before.until_run} to run {state.run - 1} was pruned"
    changed = "; in all, it changed so:" if deltas else ", and it is the same again"
    yield Event(state.run, "there", "pruned", deltas, reason=f"{gap}{changed}")


def _done(run: int, entry: Entry) -> Event:
    return Event(run, "here", _planned(entry), entry.deltas, entry.updated_at, reason=entry.reason)


def _ours(kind: KindName, held: Values, mine: Said) -> Generator[Event, None, Values]:
    """Yield what runs applied, and what they had found changed; return what was held then."""
    fields = KINDS[kind].by_name
    now: dict[str, Stored] = dict(held)
    for run, entry in mine:
        found = tuple(
            Delta(delta.field, now[delta.field], delta.before)
            for delta in entry.deltas
            if entry.action != "create"
            and not equal(fields[delta.field], now[delta.field], delta.before)
        )
        if found:
            yield Event(run, "there", _action(found), found)
        yield _done(run, entry)
        if entry.action == "create":  # made again, it has nothing of what its key stood for before
            now = dict.fromkeys(now)
        now |= {delta.field: delta.after for delta in entry.deltas}
    return now


def _theirs(kind: KindName, held: Values, state: State) -> Iterator[Event]:
    names = differing(KINDS[kind].fields, held, state.values)
    deltas = tuple(Delta(name, held[name], state.values[name]) for name in names)
    if deltas:
        yield Event(
            state.run, "there", _action(deltas), deltas, state.absent_since or state.updated_at
        )


def _planned(entry: Entry) -> Action:
    return "update" if entry.action == "read" else entry.action


def _action(deltas: Sequence[Delta]) -> Action:
    flag = next((delta for delta in deltas if delta.field == "deleted"), None)
    if flag is None:
        return "update"
    return "delete" if flag.after else "undelete"
