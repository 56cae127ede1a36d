"""Bring edits in files back into the working copy: all of them, or none."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from dssync.core.brakes import Limit
from dssync.core.fields import KINDS, KindName
from dssync.core.plan import Action, Change, Plan
from dssync.errors import Brake, UsageError
from dssync.files import finding, judging, names
from dssync.files.finding import Header, Pair
from dssync.files.flaws import Flaw, Flaws, refusal
from dssync.files.forms import Found, Reader, form_of
from dssync.files.layout import Folder, told
from dssync.files.rows import ID, fields_of, row_of
from dssync.files.taking import Given, Taker
from dssync.mirror import Mirror, Transaction, records, working
from dssync.mirror.incoming import Seen
from dssync.mirror.working import AT_ONCE, Home, Working

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import changed, or with `dry` would change.

    `counts` are records by action; `changes` are listed only when they were asked for. `kept`
    counts values that are newer in the mirror and stayed, `blind` the records that were changed
    without a base, `again` new rows that an earlier import had made already.
    """

    folder: Path
    dry: bool
    datasets: int
    items: int
    counts: Mapping[Action, int]
    changes: tuple[Change, ...]
    kept: int
    blind: int
    again: int

    @property
    def plan(self) -> Plan:
        """Return the changes as a plan: what the mirror has, and what it gets."""
        return Plan.of(self.changes)


def bring_in(
    mirror: Mirror,
    folder: Path,
    *,
    remotes: Sequence[str] = (),
    dry: bool = False,
    delete_missing: bool = False,
    limit: Limit | None = None,
    only: Collection[str] | None = None,
) -> Imported:
    """Import the files in `folder`; `dry` writes nothing, and lists what it would change.

    `only` names datasets' files, with their folder and without a suffix. Rows that are gone from
    the files are deletions only with `delete_missing`. Raises UsageError with every mistake in the
    files, Brake for too many deletions; then nothing was imported.
    """
    scope: AbstractContextManager[Transaction] = (
        mirror.database.read() if dry else mirror.database.edit()
    )
    with told(folder, "read"), scope as tx:
        work = _Import(tx, Folder(folder), tuple(remotes), dry, only)
        work.read()
        if delete_missing:
            work.delete_missing()
        work.check(limit or Limit())
        if not dry:
            work.taker.finish()
        return work.imported()


@dataclass(slots=True)
class _Import:
    """One import under way. `seen` are the records that stand in the files."""

    tx: Transaction
    folder: Folder
    remotes: tuple[str, ...]
    dry: bool
    only: Collection[str] | None = None
    flaws: Flaws = field(default_factory=Flaws)
    taker: Taker = field(init=False)
    seen: dict[KindName, Seen] = field(default_factory=lambda: {kind: Seen() for kind in KINDS})
    equals: Counter[tuple[str, bytes]] = field(default_factory=Counter)
    datasets: int = 0
    items: int = 0
    again: int = 0

    def __post_init__(self) -> None:
        homes, contracts = working.homes(self.tx), working.contracts(self.tx)
        self.taker = Taker(self.tx, self.dry, self.dry, self.flaws, homes, contracts)

    def read(self) -> None:
        """Take every file: datasets before items, items with an id before new ones.

        New rows come last, so that what an earlier import made of an equal row is known.
        """
        found = finding.pairs(self.folder, self.taker.contracts, self.remotes, self.flaws)
        if self.only is not None:
            found = [pair for pair in found if pair.stem in self.only]
        homes = {pair.stem: self._dataset(pair) for pair in found}
        with_new = [pair for pair in found if self._items(pair, homes[pair.stem])]
        for pair in with_new:
            self._new_items(pair, homes[pair.stem])

    def _dataset(self, pair: Pair) -> str | None:
        """Take a dataset's file; return the dataset's key, None for one that cannot be used."""
        self.datasets += 1
        read = finding.header(pair.dataset, self.flaws)
        if read is None:
            return None
        # a file without an id is its dataset's for ever: edited, it is no other dataset
        name = read.id or judging.new_key("dataset", pair.remote, pair.stem)
        record = working.by_name(self.tx, pair.remote, "dataset", [name]).get(name)
        given = Given(read.values, read.base, partial(_say, pair, read), made_here=read.id is None)
        if record is not None:
            if self._is_new("dataset", record, given):
                self.taker.edit(record, given)
            return record.key
        if read.id is not None:
            self.flaws.add(given.say(ID, self._unknown("dataset", pair.remote, read.id)))
            return None
        self.taker.create("dataset", pair.remote, name, given)
        label = str(read.values.get("name") or name)
        self.taker.homes[name] = Home(name, name, pair.remote, label)
        return name

    def _items(self, pair: Pair, home: str | None) -> bool:
        """Take the rows that have an id; tell whether there are others."""
        reader = _reader(pair)
        if reader is None:
            return False
        new = False
        for chunk in _chunks(reader.rows()):
            found = [each for each in chunk if isinstance(each, Found)]
            self.items += len(found)
            self.flaws.add(*(each for each in chunk if isinstance(each, Flaw)))
            named = {each.id: each for each in found if each.id}
            new = new or len(found) > sum(each.id is not None for each in found)
            known = working.by_name(self.tx, pair.remote, "item", list(named))
            if home is None:
                continue
            for each in found:
                if each.id is not None:
                    self._item(pair, home, reader, each, known.get(each.id))
        return new and home is not None

    def _item(
        self, pair: Pair, home: str, reader: Reader, found: Found, record: Working | None
    ) -> None:
        say = partial(reader.flaw, found.line)
        if record is None:
            self.flaws.add(say(ID, self._unknown("item", pair.remote, str(found.id))))
            return
        given = Given({}, found.base, say)
        if not self._is_new("item", record, given):
            return
        contract = self.taker.contracts[pair.remote]
        if record.values["dataset"] == home and not record.values["deleted"]:
            row = row_of(record, fields_of("item", contract), self.taker.homes)
            if reader.same(found, row):
                return
        values, wrong = reader.values(found)
        self.flaws.add(*wrong)
        if not wrong:
            self.taker.edit(record, Given({**values, "dataset": home}, found.base, say))

    def _new_items(self, pair: Pair, home: str | None) -> None:
        """Make the rows that have no id, each of them once, however often they are imported."""
        reader = _reader(pair)
        if reader is None or home is None:
            return
        for found in reader.rows():
            if isinstance(found, Flaw) or found.id is not None:
                continue
            values, wrong = reader.values(found)
            self.flaws.add(*wrong)
            if not wrong:
                given = Given({**values, "dataset": home}, None, partial(reader.flaw, found.line))
                self._new_item(pair.remote, home, given)

    def _new_item(self, remote: str, home: str, given: Given) -> None:
        content = judging.content_of(KINDS["item"].fields, given.values)
        while True:
            self.equals[home, content] += 1
            key = judging.new_key("item", home, content, self.equals[home, content])
            record = working.by_name(self.tx, remote, "item", [key]).get(key)
            if record is None:
                self.taker.create("item", remote, key, given)
                return
            if record.rowid not in self.seen["item"]:
                self.seen["item"].add(record.rowid)
                self.again += 1
                return

    def _is_new(self, kind: KindName, record: Working, given: Given) -> bool:
        """Note that a record stands in the files, and refuse one that stands there twice."""
        seen = self.seen[kind]
        if record.rowid in seen:
            self.flaws.add(given.say(ID, f"the {kind} {record.name} stands in the files twice"))
            return False
        seen.add(record.rowid)
        return True

    def _unknown(self, kind: KindName, remote: str, id: str) -> str:
        return f"the mirror holds no {kind} {id} of {remote}; a new one is made without an id"

    def delete_missing(self) -> None:
        """Delete what the export wrote and nothing in the files names any more."""
        written = self.folder.written()
        if written is None:
            raise UsageError(
                f"{self.folder.path} does not say what it held, so nothing is missing",
                hint="bring its folder .dssync back, or use `dssync delete`",
            )
        homes = names.folders(list(self.taker.contracts))
        remotes = {homes[remote]: remote for remote in self.remotes or homes}
        for file in written:
            remote = remotes.get(file.partition("/")[0])
            if remote is not None and file.endswith(".json") and not self.flaws:
                self._delete_missing_of(remote, file)

    def _delete_missing_of(self, remote: str, file: str) -> None:
        if not self.folder.ids_of(file).is_file():
            self.flaws.add(
                Flaw(file, f"nobody knows what it held: {self.folder.ids_of(file)} is gone")
            )
            return
        kind: KindName = "dataset"
        for chunk in _chunks(self.folder.listed(file), first=1):
            known = working.by_name(self.tx, remote, kind, chunk)
            for record in known.values():
                if record.rowid not in self.seen[kind] and not record.values["deleted"]:
                    self.taker.delete(record)
            kind = "item"

    def check(self, limit: Limit) -> None:
        """Raise UsageError with every mistake, or Brake for too many deletions."""
        if self.flaws:
            raise refusal(self.flaws.found)
        for (remote, kind, action), count in sorted(self.taker.counts.items()):
            total = records.rowcount(self.tx, remote, kind)
            if action == "delete" and not limit.allows(count, total):
                why = (
                    "more than --max-delete allows"
                    if limit != Limit()
                    else ("which is more than 25 % and more than 10")
                )
                raise Brake(
                    f"the import deletes {count:,} of {total:,} {kind}s of {remote}, {why};"
                    " nothing was imported",
                    hint=f"look at it with -n; if it is meant, add --max-delete {count}",
                )

    def imported(self) -> Imported:
        """Say what was done."""
        counts: Counter[Action] = Counter()
        for (_, _, action), count in self.taker.counts.items():
            counts[action] += count
        return Imported(
            self.folder.path,
            self.dry,
            self.datasets,
            self.items,
            dict(counts),
            tuple(self.taker.changes),
            self.taker.kept,
            self.taker.blind,
            self.again,
        )


def _reader(pair: Pair) -> Reader | None:
    return form_of(pair.suffix).reader(pair.items) if pair.items else None


def _say(pair: Pair, read: Header, field: str, reason: str) -> Flaw:
    return Flaw(pair.dataset.name, reason, read.lines.get(field, 1), field=field)


def _chunks(found: Iterable[T], first: int = AT_ONCE) -> Iterator[list[T]]:
    iterator = iter(found)
    size = first
    while chunk := list(islice(iterator, size)):
        yield chunk
        size = AT_ONCE
