"""Edit the records of one remote, kind by kind, until they are what a source holds."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.records import Triple
from dssync.core.restoring import Step, step
from dssync.core.toll import Toll
from dssync.errors import UnknownRecord
from dssync.mirror import (
    KnownRemote,
    Mirror,
    Transaction,
    aliases,
    edits,
    links,
    records,
    recreation,
    touched,
)
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
class Scope:
    """One dataset of the source, by the key it has there, with its items."""

    key: str

    @classmethod
    def of(cls, source: Source, text: str) -> "Scope":
        """Find the dataset that had this key, id or name then. Raises UnknownRecord."""
        named, known = [], []
        for each in source.read("dataset"):
            known += [each] if text in (each.key, each.id) else []
            named += [each] if text == each.values["name"] else []
        found = known or [each for each in named if each.live] or named
        if len(found) == 1:
            return cls(found[0].key)
        if not found:
            raise UnknownRecord(f"{source.title}, has no dataset {text!r}")
        keys = ", ".join(each.key for each in found)
        raise UnknownRecord(
            f"{len(found)} datasets were called {text!r} then: {keys}", hint="give the key"
        )


class Recasting:
    """One restore's edits, inside the transaction that it was given.

    `overwritten` names the records whose pending edits were in the way, `left` those that could not
    be made what they were.
    """

    def __init__(
        self,
        mirror: Mirror,
        tx: Transaction,
        source: Source,
        remote: KnownRemote,
        scope: Scope | None,
        *,
        discard: bool,
    ) -> None:
        self._mirror, self._tx, self._source = mirror, tx, source
        self._remote, self._scope, self._discard = remote, scope, discard
        self._own = source.remote == remote.name
        self._homes: dict[str, str] = {}
        self._seen: dict[KindName, set[str]] = {kind: set() for kind in KINDS}
        self.overwritten: list[str] = []
        self.left: list[Left] = []
        self.toll = Toll()

    def go(self) -> None:
        """Edit what the source knows, parents first; then what it does not, children first."""
        for kind in KINDS:
            for batch in _batches(self._source.read(kind)):
                self._recast(kind, batch)
        if self._own:
            for kind in reversed(tuple(KINDS)):
                for keys in _batches(iter(self._others(kind))):
                    self._put_away(kind, keys)

    def apart(self) -> dict[KindName, int]:
        """Count the live records of another remote that the source knows nothing of."""
        if self._own or self._scope:
            return {}
        counts = {kind: len(self._others(kind)) for kind in KINDS}
        return {kind: count for kind, count in counts.items() if count}

    def _recast(self, kind: KindName, batch: Sequence[Past]) -> None:
        origins = self._origins(kind, batch)
        places = self._places(kind, batch, origins)
        self._seen[kind].update(places.values())
        if kind == "dataset":
            self._homes.update(places)
        now = touched.among(self._tx, kind, list(places.values()))
        refused = recreation.refused(self._tx, kind, list(now))
        linked: dict[str, str] = {}
        for past in batch:
            triple = now.get(places.get(past.key, ""))
            if self._meant(past, triple):
                key = self._one(past, triple, refused=triple is not None and triple.key in refused)
                if key is not None and (not self._own or triple is None):
                    linked[origins[past.key]] = key
        self._seen[kind].update(linked.values())
        source = self._source
        links.remember(self._tx, self._remote.name, kind, source.remote, linked, source.run)

    def _origins(self, kind: KindName, batch: Sequence[Past]) -> Mapping[str, str]:
        """Return what this mirror calls the records of the source; another may say other keys."""
        if self._source.run is not None:
            return {each.key: each.key for each in batch}
        ids = [each.id for each in batch]
        known, _ = aliases.find(self._tx, self._source.remote, kind, ids)
        told = {id: row.key for id, row in known.items() if row.digest is not None}
        return {each.key: told.get(each.id, each.key) for each in batch}

    def _places(
        self, kind: KindName, batch: Sequence[Past], origins: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Return the keys that records of the source have here, as far as they are here."""
        remote, keys = self._remote.name, list(origins.values())
        linked = links.find(self._tx, remote, kind, self._source.remote, keys)
        if self._own:
            here = touched.among(self._tx, kind, keys).values()
            linked = {**linked, **{each.key: each.key for each in here if each.remote == remote}}
        return {
            each.key: linked[origins[each.key]] for each in batch if origins[each.key] in linked
        }

    def _meant(self, past: Past, now: Triple | None) -> bool:
        scope = self._scope
        if scope is None:
            return True
        if past.kind == "dataset":
            return past.key == scope.key
        home = self._homes.get(scope.key)
        lies = now is not None and home is not None and now.ours["dataset"] == home
        return past.values["dataset"] == scope.key or lies

    def _one(self, past: Past, now: Triple | None, *, refused: bool) -> str | None:
        """Edit one record and return its key here, None where there is none."""
        then = self._then(past)
        if isinstance(then, str):
            self._leave(past.kind, past.key, then)
            return now.key if now else None
        found = self._decide(past.kind, then, now, refused=refused)
        for name in found.stuck:
            self._leave(past.kind, past.key, f"{name} can only be set when it is made")
        if found.reason:
            self._leave(past.kind, past.key, found.reason)
        if found.name in ("create", "remake") and then is not None:
            others = _others_of(past.rest)
            self.toll.make(past.kind, then, others, elsewhere=not self._own)
        if found.name in ("create", "remake", "edit"):
            self.toll.leave(past.kind, found.lost)
        key = self._apply(past.kind, now, found)
        if key is not None and past.kind == "dataset":
            self._homes[past.key] = key
        return key

    def _then(self, past: Past) -> Values | str | None:
        """Return what a record was, in this remote's keys; None where it was not live."""
        if not past.live:
            return None
        if past.kind == "dataset":
            return past.values
        home = self._home(str(past.values["dataset"]))
        return HOMELESS if home is None else {**past.values, "dataset": home}

    def _home(self, dataset: str) -> str | None:
        if dataset in self._homes or not self._own:
            return self._homes.get(dataset)
        # a dataset that no list ever showed has no past; its items lie in what stands for it
        arguments = [dataset, self._remote.name]
        found = next(records.select(self._tx, "dataset", "key = ? AND remote = ?", arguments), None)
        return found.key if found else None

    def _decide(
        self, kind: KindName, then: Values | None, now: Triple | None, *, refused: bool
    ) -> Step:
        found = step(kind, then, now, self._remote.contract, refused=refused)
        if now is None or not _pending(now):
            return found
        if self._discard and now.base is not None:
            with self._mirror.database.step(self._tx, LOCAL):
                edits.take_back(self._tx, kind, now.key)
            again = touched.among(self._tx, kind, [now.key])[now.key]
            return step(kind, then, again, self._remote.contract, refused=refused)
        if not self._discard and _overwrites(found):
            label, _ = records.describe(self._tx, kind, now.key, now.ours)
            self.overwritten.append(f"{kind} {label}")
        return found

    def _apply(self, kind: KindName, now: Triple | None, found: Step) -> str | None:
        """Do what was decided, and return the record's key; None where it has none now."""
        tx = self._tx
        if now is None:
            if found.name != "create":
                return None
            return edits.create(tx, kind, self._remote.name, found.values)
        if found.name in ("drop", "remake"):
            with self._mirror.database.step(tx, LOCAL):
                if found.name == "drop":
                    edits.take_back(tx, kind, now.key)
                else:
                    edits.recreate(tx, kind, now.key)
        if found.name in ("edit", "remake") and found.values:
            edits.change(tx, kind, now.key, found.values)
        return now.key

    def _others(self, kind: KindName) -> list[str]:
        """Return the keys of live records here that the source knows nothing of."""
        home = self._homes.get(self._scope.key) if self._scope else None
        if self._scope and (kind == "dataset" or home is None):
            return []
        where, arguments = "remote = ? AND deleted IS NOT 1", [self._remote.name]
        if home is not None:
            where, arguments = f"{where} AND dataset = ?", [*arguments, home]
        keys = records.keys(self._tx, kind, where, arguments)
        return [key for key in keys if key not in self._seen[kind]]

    def _put_away(self, kind: KindName, keys: Sequence[str]) -> None:
        for now in touched.among(self._tx, kind, keys).values():
            self._apply(kind, now, self._decide(kind, None, now, refused=False))

    def _leave(self, kind: KindName, key: str, reason: str) -> None:
        self.left.append(Left(kind, key, reason))


def _pending(now: Triple) -> bool:
    untouched = now.theirs is now.ours  # so `touched.among` gives it
    return not untouched and difference(now) is not None


def _overwrites(found: Step) -> bool:
    """Tell whether a step changes what somebody edited; making it again keeps all edits."""
    return found.name in ("edit", "drop") or bool(found.name == "remake" and found.values)


def _others_of(rest: str | None) -> list[str]:
    """Name the server's other fields that a record had a value in."""
    found = json.loads(rest) if rest else {}
    return [name for name, value in found.items() if value is not None]


def _batches(rows: Iterator[T]) -> Iterator[list[T]]:
    while batch := list(islice(rows, AT_ONCE)):
        yield batch
