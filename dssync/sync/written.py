"""Prove a migration: hold every copy, as it was just read, against what it should say."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dssync.core.fields import KINDS, KindName, Spot
from dssync.core.receipt import Entry, Receipt
from dssync.core.values import PRINT, prints
from dssync.errors import NotVerified
from dssync.mirror import Mirror, touched
from dssync.sync.carrying import batches
from dssync.sync.migrating import Carried

VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Proof:
    """The receipt, its rows with the outcome of the proof, and how many copies are as they should.

    `wrong` are records that this run wrote and that differ, `moved` others that changed meanwhile.
    `lacking` counts by dataset the items that are not there yet.
    """

    receipt: Receipt
    equal: int
    wrong: tuple[Spot, ...] = ()
    moved: tuple[Spot, ...] = ()
    lacking: Counter[str] = field(default_factory=Counter)

    def sentences(self, remote: str) -> Iterator[str]:
        """Say how it went."""
        if self.equal:
            much = _many(self.equal, "record")
            yield f"{much} of {remote} compared value by value, all as they should be"
        if self.moved:
            keys = ", ".join(key for _, key in self.moved[:5])
            much = _many(len(self.moved), "more record")
            yield f"{much} of {remote} changed meanwhile, by somebody else: {keys}"
        if self.lacking:
            homes = _many(len(self.lacking), "dataset")
            yield f"not complete yet: {homes}, for want of {_many(self.lacking.total(), 'item')}"

    def errors(self) -> Iterator[NotVerified]:
        """Yield what went wrong."""
        if self.wrong:
            yield NotVerified(
                f"not as it was written there: {_many(len(self.wrong), 'record')}",
                hint="the receipt names them; run the same migration again to see what is left",
            )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def prove(mirror: Mirror, done: Carried, receipt: Receipt) -> Proof:
    """Compare every copy with what it should say, and note it in the receipt's rows."""
    rows = {entry.spot: entry for entry in receipt.entries if entry.planned}
    unwritten = {spot for spot, entry in rows.items() if entry.outcome != "applied"}
    differing: dict[Spot, str] = {}
    equal: Counter[KindName] = Counter()
    inside: Counter[str] = Counter()
    for kind, key, home, names in _compared(mirror, done, unwritten):
        if names is not None:
            differing[kind, key] = names
            continue
        equal[kind] += 1
        inside[home] += kind == "item"
    lacking = Counter(
        _home(entry)
        for spot, entry in rows.items()
        if spot[0] == "item" and (spot in differing or _unmade(entry)) and _home(entry)
    )
    written = {spot for spot, entry in rows.items() if entry.outcome == "applied"}
    return Proof(
        replace(
            receipt,
            entries=tuple(_told(e, differing, inside, lacking) for e in receipt.entries),
        ),
        equal.total(),
        tuple(spot for spot in differing if spot in written),
        tuple(spot for spot in differing if spot not in written),
        lacking,
    )


def _compared(
    mirror: Mirror, done: Carried, unwritten: set[Spot]
) -> Iterator[tuple[KindName, str, str, str | None]]:
    """Yield each copy with its dataset, and what of it differs; None where nothing does."""
    for kind, expected in done.expected.items():
        fields = KINDS[kind].fields
        for keys in batches(key for key in expected if (kind, key) not in unwritten):
            with mirror.database.read() as tx:
                there = touched.among(tx, kind, keys)
            for key in keys:
                theirs = there[key].theirs if key in there else None
                if theirs is None:
                    yield kind, key, "", "it is not there"
                    continue
                said, wanted = prints(fields, theirs), expected[key]
                names = [
                    each.name
                    for at, each in enumerate(fields)
                    if said[at * PRINT :][:PRINT] != wanted[at * PRINT :][:PRINT]
                ]
                yield kind, key, str(theirs.get("dataset") or ""), ", ".join(names) or None


def _told(
    entry: Entry, differing: Mapping[Spot, str], inside: Counter[str], lacking: Counter[str]
) -> Entry:
    """Say in a row what the proof found; a dataset is complete when its items are."""
    if entry.outcome != "applied":
        return entry
    if entry.spot in differing:
        found = f"not verified, what the server shows differs: {differing[entry.spot]}"
    elif missing := lacking[entry.key]:
        found = f"{VERIFIED}, but not complete: {_many(missing, 'item')} of it not there"
    elif entry.kind == "dataset" and inside[entry.key]:
        found = f"{VERIFIED}, and complete with {_many(inside[entry.key], 'item')}"
    else:
        found = VERIFIED
    return replace(entry, reason=f"{entry.reason}; {found}" if entry.reason else found)


def _unmade(entry: Entry) -> bool:
    return entry.action == "create" and entry.outcome != "applied"


def _home(entry: Entry) -> str:
    return next((str(d.after) for d in entry.deltas if d.field == "dataset"), "")
