"""Find what a destination has already of what a source would bring: by name, then by content."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.matching import Matches, match, match_again
from dssync.core.values import digest_of, prints
from dssync.mirror import Transaction, links, records
from dssync.mirror.past import Past
from dssync.sync.past import Source

CONTENT: Mapping[KindName, tuple[str, ...]] = {
    kind.name: tuple(f.name for f in kind.fields if f.type not in ("flag", "reference"))
    for kind in KINDS.values()
}
"""What a record says by itself: neither where it lies, nor whether it is deleted."""


class Matching:
    """Finds the matches of one migration; `called` says what copies of datasets are called."""

    def __init__(
        self, tx: Transaction, source: Source, remote: str, called: Callable[[str], str]
    ) -> None:
        self._tx, self._source, self._remote, self._called = tx, source, remote, called

    def find(self, kind: KindName, pasts: Sequence[Past], homes: Mapping[str, str]) -> Matches:
        """Match records that are not linked; `homes` are the keys of datasets at both ends."""
        if not pasts:
            return Matches()
        return self._datasets(pasts) if kind == "dataset" else self._items(pasts, homes)

    def _datasets(self, pasts: Sequence[Past]) -> Matches:
        names = {past.key: self._called(str(past.values["name"])) for past in pasts}
        there = {each.key: str(each.values["name"]) for each in self._unlinked("dataset", "1", [])}
        first = match(names, there)
        if not first.undecided:
            return first
        wanted = {key for keys in first.undecided.values() for key in keys}
        held = {key: self._held(key) for key in wanted}
        inside = self._inside(set(first.undecided))
        here = {
            past.key: (_said("dataset", {**past.values, "name": names[past.key]}), inside[past.key])
            for past in pasts
            if past.key in first.undecided
        }
        return match_again(first, here, held)

    def _held(self, key: str) -> tuple[bytes, bytes]:
        """Return what a dataset of the destination says, and all that is in it."""
        record = records.get(self._tx, "dataset", key)
        items = records.items(self._tx, key, deleted=False)
        return _said("dataset", record.values), _sum(each.values for each in items)

    def _inside(self, keys: set[str]) -> dict[str, bytes]:
        """Return all that is in some datasets of the source."""
        lying: dict[str, list[Values]] = {key: [] for key in keys}
        for past in self._source.read("item"):
            if past.live and past.values["dataset"] in lying:
                lying[str(past.values["dataset"])].append(past.values)
        return {key: _sum(values) for key, values in lying.items()}

    def _items(self, pasts: Sequence[Past], homes: Mapping[str, str]) -> Matches:
        here = {
            past.key: (home, _said("item", past.values))
            for past in pasts
            if (home := homes.get(str(past.values["dataset"])))
        }
        there = {
            each.key: (home, _said("item", each.values))
            for home in {home for home, _ in here.values()}
            for each in self._unlinked("item", "dataset = ?", [home])
        }
        return match(here, there)

    def _unlinked(
        self, kind: KindName, condition: str, arguments: list[str]
    ) -> Iterable[records.Record]:
        """Yield live records of the destination's server that are nobody's copy yet."""
        known = links.ends_of(self._tx, kind, self._source.remote, self._remote)
        where = f"remote = ? AND id IS NOT NULL AND deleted IS NOT 1 AND {condition}"
        found = records.select(self._tx, kind, where, [self._remote, *arguments])
        return [each for each in found if each.key not in known]


def _said(kind: KindName, values: Values) -> bytes:
    by_name = KINDS[kind].by_name
    return prints([by_name[name] for name in CONTENT[kind]], values)


def _sum(items: Iterable[Values]) -> bytes:
    return digest_of(*sorted(_said("item", values) for values in items))
