"""Edit the records of one remote, kind by kind, until they are what a source holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dssync.core.differ import difference
from dssync.core.fields import KINDS, KindName, Values
from dssync.core.records import Triple
from dssync.core.restoring import Step, step
from dssync.errors import UnknownRecord
from dssync.mirror import (
    KnownRemote,
    Mirror,
    Transaction,
    edits,
    links,
    records,
    recreation,
    touched,
)
from dssync.mirror.mirror import LOCAL
from dssync.mirror.past import Past
from dssync.sync.carrying import Batch, Carrying, batches
from dssync.sync.past import Source


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


class Recasting(Carrying):
    """One restore's edits, inside the transaction that it was given.

    `overwritten` names the records whose pending edits were in the way.
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
        super().__init__(mirror, tx, source, remote)
        self._scope, self._discard = scope, discard
        self._own = not self._elsewhere
        self.overwritten: list[str] = []

    def go(self) -> None:
        """Edit what the source knows, parents first; then what it does not, children first."""
        for kind in KINDS:
            for pasts in batches(self._source.read(kind)):
                self._carry(kind, pasts)
        if self._own:
            for kind in reversed(tuple(KINDS)):
                for keys in batches(iter(self._others(kind))):
                    self._put_away(kind, keys)

    def apart(self) -> dict[KindName, int]:
        """Count the live records of another remote that the source knows nothing of."""
        if self._own or self._scope:
            return {}
        counts = {kind: len(self._others(kind)) for kind in KINDS}
        return {kind: count for kind, count in counts.items() if count}

    def _carry(self, kind: KindName, pasts: Sequence[Past]) -> None:
        batch = self._batch(kind, pasts)
        refused = recreation.refused(self._tx, kind, list(batch.now))
        linked: dict[str, str] = {}
        alike: dict[str, str] = {}
        for past in pasts:
            triple = batch.triple(past)
            if not self._meant(past, triple):
                continue
            known = triple is not None and triple.key in refused
            key, same = self._one(past, triple, refused=known)
            if key is not None and (not self._own or triple is None):
                (alike if same else linked)[batch.origins[past.key]] = key
        self._seen[kind].update([*linked.values(), *alike.values()])
        self._link(batch, pasts, linked, alike)

    def _link(
        self, batch: Batch, pasts: Sequence[Past], linked: dict[str, str], alike: dict[str, str]
    ) -> None:
        """Keep what became of records, and that both sides agree where they say the same."""
        ends = self._ends(batch.kind)
        links.remember(self._tx, ends, linked)
        said = {batch.origins[past.key]: past.values for past in pasts}
        links.agree(self._tx, ends, alike, self._source.run, said)

    def _places_besides(self, kind: KindName, keys: Sequence[str]) -> Mapping[str, str]:
        if not self._own:
            return {}
        here = touched.among(self._tx, kind, keys).values()
        return {each.key: each.key for each in here if each.remote == self._remote.name}

    def _meant(self, past: Past, now: Triple | None) -> bool:
        scope = self._scope
        if scope is None:
            return True
        if past.kind == "dataset":
            return past.key == scope.key
        home = self._homes.get(scope.key)
        lies = now is not None and home is not None and now.ours["dataset"] == home
        return past.values["dataset"] == scope.key or lies

    def _one(self, past: Past, now: Triple | None, *, refused: bool) -> tuple[str | None, bool]:
        """Edit one record; return its key here, None where there is none, and if both agree."""
        then = self._then(past)
        if isinstance(then, str):
            self._leave(past.kind, past.key, then)
            return now.key if now else None, False
        found = self._decide(past.kind, then, now, refused=refused)
        if found.reason:
            self._leave(past.kind, past.key, found.reason)
        self._tell(past, then, found)
        key = self._apply(past.kind, now, found)
        if key is not None and past.kind == "dataset":
            self._homes[past.key] = key
        settled = found.name == "nothing" and now is not None and not _pending(now)
        return key, found.name == "create" or settled

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


def _pending(now: Triple) -> bool:
    untouched = now.theirs is now.ours  # so `touched.among` gives it
    return not untouched and difference(now) is not None


def _overwrites(found: Step) -> bool:
    """Tell whether a step changes what somebody edited; making it again keeps all edits."""
    return found.name in ("edit", "drop") or bool(found.name == "remake" and found.values)
