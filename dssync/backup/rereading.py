"""Hold what a server gave back against what was restored to it, record by record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from dssync.core.fields import KINDS, ContractName, KindName, Stored
from dssync.core.restoring import filled
from dssync.core.values import equal
from dssync.mirror import Mirror, Transaction, links, past, records
from dssync.mirror.past import Past
from dssync.mirror.records import Record

AT_ONCE = 500

Found = Literal["missing", "changed", "extra"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that did not come back as it was: its key in the copy, the fields that differ.

    What came back `extra` is a record that nobody restored.
    """

    kind: KindName
    key: str
    label: str
    found: Found
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Reread:
    """Compares the snapshot `run` of `source` in one mirror with `remote` as another read it.

    The first mirror has the links of the restore. `left` are records that could not be restored.
    """

    copy: Mirror
    back: Mirror
    source: str
    run: int
    remote: str
    contract: ContractName
    left: frozenset[tuple[KindName, str]]
    count: int = 0

    def differences(self) -> Iterator[Difference]:
        """Yield every record that is not as it was; `count` tells how many were compared."""
        with self.copy.database.read() as copy, self.back.database.read() as back:
            for kind in KINDS:
                met: set[str] = set()
                held = past.held(copy, self.source, self.run, kind)
                wanted = (p for p in held if p.live and (kind, p.key) not in self.left)
                while batch := list(islice(wanted, AT_ONCE)):
                    yield from self._compare(copy, back, kind, batch, met)
                for record in records.select(back, kind, "deleted IS NOT 1"):
                    if record.key not in met:
                        yield Difference(kind, record.key, record.label, "extra")

    def _compare(
        self,
        copy: Transaction,
        back: Transaction,
        kind: KindName,
        batch: Sequence[Past],
        met: set[str],
    ) -> Iterator[Difference]:
        ids = self._ids(copy, kind, [each.key for each in batch])
        homes = self._homes(copy, kind, batch)
        there = {each.id: each for each in records.chosen(back, kind, list(ids.values()))}
        for each in batch:
            self.count += 1
            label = str(each.values.get("name") or each.key)
            record = there.get(ids.get(each.key, ""))
            if record is None or record.deleted:
                yield Difference(kind, each.key, label, "missing")
                continue
            met.add(record.key)
            fields = tuple(self._differing(each, record, homes))
            if fields:
                yield Difference(kind, each.key, label, "changed", fields)

    def _ids(self, copy: Transaction, kind: KindName, keys: Sequence[str]) -> dict[str, str]:
        """Return the id that the server gave to each of these records, by its key in the copy."""
        linked = links.find(copy, self.remote, kind, self.source, keys)
        made = {each.key: each.id for each in records.chosen(copy, kind, list(linked.values()))}
        return {old: id for old, new in linked.items() if (id := made.get(new)) is not None}

    def _homes(self, copy: Transaction, kind: KindName, batch: Sequence[Past]) -> dict[str, str]:
        if kind == "dataset":
            return {}
        return self._ids(copy, "dataset", sorted({str(each.values["dataset"]) for each in batch}))

    def _differing(self, was: Past, now: Record, homes: dict[str, str]) -> Iterator[str]:
        for field in KINDS[was.kind].fields:
            rule = field.rule(self.contract)
            if rule is None or field.type == "flag":
                continue  # the first was never sent, and both are live
            wanted: Stored = was.values[field.name]
            if field.type == "reference":
                wanted = homes.get(str(wanted))
            if not equal(field, filled(field, rule, wanted), now.values[field.name]):
                yield field.name
