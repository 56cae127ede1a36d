"""What changed here, what is in the way, and how old the mirror is; reads the mirror only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Spot
from dssync.core.freshness import Freshness, judge
from dssync.core.plan import Action, Change, Conflicted, Plan
from dssync.core.records import Triple
from dssync.mirror import (
    KnownRemote,
    Mirror,
    Transaction,
    journal,
    records,
    runs,
    snapshots,
    touched,
    unreadable,
)
from dssync.mirror.journal import Intent
from dssync.mirror.unreadable import Unreadable
from dssync.sync.planner import make_plan


@dataclass(frozen=True, slots=True)
class RemoteStatus:
    """One remote: how many live records of theirs there are, and the newest complete pull.

    `pulled_at` and `run` are None before the first complete pull.
    """

    remote: KnownRemote
    datasets: int
    items: int
    run: int | None
    pulled_at: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """The mirror at a glance. `in_doubt` are requests whose outcome nobody knows yet."""

    remotes: tuple[RemoteStatus, ...]
    plan: Plan
    in_doubt: tuple[Intent, ...]


def read_status(mirror: Mirror, remotes: Sequence[str] = ()) -> Status:
    """Read the state of these remotes, of all when none is named."""
    plan = make_plan(mirror, remotes)
    known = [r for r in mirror.remotes() if not remotes or r.name in remotes]
    with mirror.database.read() as tx:
        intents = tuple(i for i in journal.open_intents(tx) if not remotes or i.remote in remotes)
        return Status(
            remotes=tuple(_remote(mirror, remote) for remote in known),
            plan=plan,
            in_doubt=intents,
        )


def read_ages(
    mirror: Mirror, remotes: Sequence[str], now: datetime, most: float
) -> tuple[Freshness, ...]:
    """Judge whether the newest snapshot of each of these remotes is at most `most` seconds old."""
    with mirror.database.read() as tx:
        return tuple(judge(remotes, snapshots.known(tx), now, most))


PENDING: Mapping[Action, str] = {
    "create": "new",
    "update": "edited",
    "delete": "to delete",
    "undelete": "to undelete",
}
"""What a record is called that waits for a push, by what the push would do."""


def unreadable_records(mirror: Mirror, remotes: Sequence[str] = ()) -> list[Unreadable]:
    """Return what the last pulls found unreadable."""
    with mirror.database.read() as tx:
        return unreadable.known(tx, remotes)


def pending_words(
    mirror: Mirror, kind: KindName, remotes: Sequence[str] = (), dataset: str | None = None
) -> Mapping[Spot, str]:
    """Say in a word how each record of a kind stands that is pending, in conflict or in doubt.

    With `dataset`, a key, only of its items: what else is edited costs no time then.
    """
    with mirror.database.read() as tx:
        return _words(tx, touched.triples(tx, kind, remotes, dataset))


def pending_word(mirror: Mirror, kind: KindName, key: str) -> str:
    """Say how one record stands, nothing where a push has nothing to do with it."""
    with mirror.database.read() as tx:
        found = touched.triple(tx, kind, key)
        return _words(tx, [found] if found else []).get((kind, key), "")


def _words(tx: Transaction, triples: Iterable[Triple]) -> Mapping[Spot, str]:
    found = [difference(triple) for triple in triples]
    return {
        **{each.spot: _word(each) for each in found if each is not None},
        **{intent.spot: "in doubt" for intent in journal.open_intents(tx)},
    }


def _word(found: Change | Conflicted) -> str:
    return "conflict" if isinstance(found, Conflicted) else PENDING[found.action]


def _remote(mirror: Mirror, remote: KnownRemote) -> RemoteStatus:
    with mirror.database.read() as tx:
        counts: dict[KindName, int] = {
            kind: records.rowcount(tx, remote.name, kind) for kind in KINDS
        }
        run, at = runs.last_complete(tx, remote.name) or (None, None)
    return RemoteStatus(remote, counts["dataset"], counts["item"], run, at)
