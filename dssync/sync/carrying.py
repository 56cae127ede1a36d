"""Carry records from a source into a remote's working copy, kind by kind, parents first.

What a restore and a migration share: the walk over the source, the map between both ends' keys, and
the edits. What to do with a record is decided by those who derive from it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.records import Triple
from dssync.core.restoring import Step
from dssync.core.toll import Toll
from dssync.mirror import KnownRemote, Mirror, Transaction, aliases, edits, links, touched
from dssync.mirror.mirror import LOCAL
from dssync.mirror.past import Past
from dssync.sync.past import Source

T = TypeVar("T")

AT_ONCE = 500
"""So many records are compared at a time."""

HOMELESS = "its dataset was deleted then, so there is no place for it"


@dataclass(frozen=True, slots=True)
class Left:
    """A record that could not be made what it was, or not in every field, and why."""

    kind: KindName
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Some records of one kind of the source, and where they are here.

    `origins` are their keys in this mirror's words, by the source's, `places` those they have here,
    as far as they are here. `now` is how those stand, by key, `agreed` the base, by origin.
    """

    kind: KindName
    origins: Mapping[str, str]
    places: Mapping[str, str]
    now: Mapping[str, Triple]
    agreed: Mapping[str, links.Agreed]

    def triple(self, past: Past) -> Triple | None:
        """Return how a record stands here, None where it is not here."""
        return self.now.get(self.places.get(past.key, ""))


class Carrying:
    """The edits of one restore or migration, inside the transaction that it was given.

    `left` names those that could not be made what they were, `toll` counts what they lose.
    """

    homeless = HOMELESS

    def __init__(
        self, mirror: Mirror, tx: Transaction, source: Source, remote: KnownRemote
    ) -> None:
        self._mirror, self._tx, self._source, self._remote = mirror, tx, source, remote
        self._elsewhere = source.remote != remote.name
        self._homes: dict[str, str] = {}
        self._seen: dict[KindName, set[str]] = {kind: set() for kind in KINDS}
        self.left: list[Left] = []
        self.toll = Toll()

    def _ends(self, kind: KindName) -> links.Ends:
        return links.Ends(kind, self._source.remote, self._remote.name)

    def _batch(self, kind: KindName, pasts: Sequence[Past]) -> Batch:
        """Find out where records of the source are here, and how they stand."""
        origins = self._origins(kind, pasts)
        places = self._places(kind, pasts, origins)
        self._seen[kind].update(places.values())
        if kind == "dataset":
            self._homes.update(places)
        now = touched.among(self._tx, kind, list(places.values()))
        pairs = {origins[old]: new for old, new in places.items()}
        agreed = links.agreed(self._tx, self._ends(kind), pairs)
        return Batch(kind, origins, places, now, agreed)

    def _origins(self, kind: KindName, pasts: Sequence[Past]) -> Mapping[str, str]:
        """Return what this mirror calls the records of the source; another may say other keys."""
        if self._source.run is not None:
            return {each.key: each.key for each in pasts}
        ids = [each.id for each in pasts]
        known, _ = aliases.find(self._tx, self._source.remote, kind, ids)
        told = {id: row.key for id, row in known.items() if row.digest is not None}
        return {each.key: told.get(each.id, each.key) for each in pasts}

    def _places(
        self, kind: KindName, pasts: Sequence[Past], origins: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the keys that records of the source have here, as far as they are here."""
        ends, keys = self._ends(kind), list(origins.values())
        linked = links.find(self._tx, ends.remote, kind, ends.source, keys)
        linked = {**linked, **self._places_besides(kind, keys)}
        return {
            each.key: linked[origins[each.key]] for each in pasts if origins[each.key] in linked
        }

    def _places_besides(self, kind: KindName, keys: Sequence[str]) -> Mapping[str, str]:
        return {}

    def _then(self, past: Past) -> Values | str | None:
        """Return what a record was, in this remote's keys; None where it was not live."""
        if not past.live:
            return None
        if past.kind == "dataset":
            return past.values
        home = self._home(str(past.values["dataset"]))
        return self.homeless if home is None else {**past.values, "dataset": home}

    def _home(self, dataset: str) -> str | None:
        return self._homes.get(dataset)

    def _tell(self, past: Past, then: Values | None, found: Step) -> None:
        """Note what a record loses, and what of it stays as it is."""
        for name in found.stuck:
            self._leave(past.kind, past.key, f"{name} can only be set when it is made")
        if found.name in ("create", "remake") and then is not None:
            others = _others_of(past.rest)
            self.toll.make(past.kind, then, others, elsewhere=self._elsewhere)
        if found.name in ("create", "remake", "edit"):
            self.toll.leave(past.kind, found.lost)

    def _apply(
        self, kind: KindName, now: Triple | None, found: Step, key: str | None = None
    ) -> str | None:
        """Do what was decided, and return the record's key; None where it has none now.

        A record that is made gets `key`, or one of its own.
        """
        tx = self._tx
        if now is None:
            if found.name != "create":
                return None
            return edits.create(tx, kind, self._remote.name, found.values, key=key)
        if found.name in ("drop", "remake"):
            with self._mirror.database.step(tx, LOCAL):
                if found.name == "drop":
                    edits.take_back(tx, kind, now.key)
                else:
                    edits.recreate(tx, kind, now.key)
        if found.name in ("edit", "remake", "clash") and found.values:
            edits.change(tx, kind, now.key, found.values)
        if found.name == "clash" and found.base is not None:
            with self._mirror.database.step(tx, LOCAL):
                edits.dispute(tx, kind, now.key, found.base)
        return now.key

    def _leave(self, kind: KindName, key: str, reason: str) -> None:
        self.left.append(Left(kind, key, reason))


def _others_of(rest: str | None) -> list[str]:
    """Name the server's other fields that a record had a value in."""
    found = json.loads(rest) if rest else {}
    return [name for name, value in found.items() if value is not None]


def batches(rows: Iterator[T]) -> Iterator[list[T]]:
    """Yield rows some at a time."""
    while batch := list(islice(rows, AT_ONCE)):
        yield batch
