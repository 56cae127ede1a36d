"""The mirror as a Python program has it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, Unpack

from dssync.core.fields import KindName
from dssync.core.query import read_query
from dssync.core.values import bad_text
from dssync.errors import UnknownRecord, UsageError
from dssync.library.access import Access
from dssync.library.pending import Pending
from dssync.library.record import Dataset, DatasetFields, Item, create
from dssync.mirror import KnownRemote, records
from dssync.mirror import Mirror as Store
from dssync.mirror import Record as Row
from dssync.mirror import search as index
from dssync.mirror.where import Selection

SNIPPET = 80
"""How long the text around a hit is, in characters."""


@dataclass(frozen=True, slots=True)
class Match:
    """A record that a search found, and the text around the first hit, which is in [brackets]."""

    record: Dataset | Item
    field: str
    snippet: str


class Mirror:
    """A local database of datasets and items, offline: no method fetches or sends anything.

    >>> with Mirror.open("mirror.db") as mirror:
    ...     for item in mirror.dataset("Support triage").items():
    ...         print(item.input, item.expected_output)

    One object is for one thread; several may open the same file.
    """

    def __init__(self, store: Store, remotes: Sequence[str] = ()) -> None:
        self._access = Access(store, remotes)

    @classmethod
    def open(
        cls, location: str | Path = "mirror.db", remote: str | None = None, *, create: bool = False
    ) -> Self:
        """Open a mirror, for one remote or for all; make one with `create`.

        `location` is a path or `sqlite:///path`. Raises NoMirror, MirrorTooNew, MirrorDamaged, and
        UsageError for a remote that the mirror does not hold.
        """
        store = Store.open(location, create=create)
        known = [each.name for each in store.remotes()]
        if remote is not None and remote not in known:
            store.close()
            held = ", ".join(known) or "none"
            raise UsageError(f"the mirror holds no remote {remote}", hint=f"it holds: {held}")
        return cls(store, () if remote is None else (remote,))

    def close(self) -> None:
        """Let go of the file."""
        self._access.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._access.store.path

    @property
    def store(self) -> Store:
        """The same file as pulls and pushes use it."""
        return self._access.store

    @property
    def remotes(self) -> tuple[KnownRemote, ...]:
        """The remotes that are meant, by name."""
        known = self.store.remotes()
        return tuple(r for r in known if not self._access.remotes or r.name in self._access.remotes)

    def datasets(
        self,
        where: str | None = None,
        *,
        deleted: bool = False,
        params: Mapping[str, object] | None = None,
    ) -> Iterator[Dataset]:
        """Yield datasets, newest first; live ones unless `deleted` adds the rest.

        `where` is what `--where` takes, SQL over their columns; `params` are the values of names
        in it, such as `:owner`. Raises UsageError.
        """
        rows = self._access.walk(self._selection("dataset", where, deleted, params))
        return (Dataset(self._access, row) for row in rows)

    def items(
        self,
        where: str | None = None,
        *,
        deleted: bool = False,
        params: Mapping[str, object] | None = None,
    ) -> Iterator[Item]:
        """Yield the items of all datasets, as `datasets` does; `dataset_name` is a column, too."""
        rows = self._access.walk(self._selection("item", where, deleted, params))
        return (Item(self._access, row) for row in rows)

    def _selection(
        self,
        kind: KindName,
        where: str | None,
        deleted: bool,
        params: Mapping[str, object] | None,
    ) -> Selection:
        return Selection(
            kind,
            "1" if where is None else where,
            self._access.remotes,
            deleted=deleted,
            params=params or {},
            said="where",
        )

    def dataset(self, name: str) -> Dataset:
        """Find a dataset by key or id, name, or a prefix of at least 4 characters.

        Raises UnknownRecord when none fits or several do, and UsageError for an item's.
        """
        row = self._find(name)
        if row.kind != "dataset":
            raise UsageError(f"{row.key} is an item", hint=f"mirror.item({row.key!r})")
        return Dataset(self._access, row)

    def item(self, key: str) -> Item:
        """Find an item by key or id, or a prefix. Raises UnknownRecord, UsageError."""
        row = self._find(key)
        if row.kind != "item":
            raise UsageError(f"{row.label} is a dataset", hint=f"mirror.dataset({key!r})")
        return Item(self._access, row)

    def _find(self, text: str) -> Row:
        if bad_text(text):  # no database could even be asked
            raise UnknownRecord(f"no record is called {text!r}")
        with self._access.reading() as tx:
            return records.find(tx, text, self._access.remotes)

    def search(
        self,
        text: str,
        *,
        dataset: Dataset | str | None = None,
        kind: KindName | None = None,
        deleted: bool = False,
        limit: int = 20,
    ) -> list[Match]:
        """Find records by the words in them, as `dssync search` does, the best first.

        Raises UsageError, also inside a block of edits, which the index does not see.
        """
        if self._access.block is not None:
            raise UsageError(
                "a search finds only what is kept", hint="search before or after the block of edits"
            )
        home = self.dataset(dataset) if isinstance(dataset, str) else dataset
        wanted = index.Wanted(
            read_query(text),
            self._access.remotes,
            None if home is None else home.key,
            kind,
            deleted,
            limit,
        )
        with self._access.reading():
            found = index.search(self.path, wanted, SNIPPET, lambda done, total: None)
        with self._access.reading() as tx:
            return [
                Match(self._typed(records.get(tx, hit.kind, hit.key)), hit.field, hit.snippet)
                for hit in found.hits
            ]

    def _typed(self, row: Row) -> Dataset | Item:
        return (Dataset if row.kind == "dataset" else Item)(self._access, row)

    def editing(self) -> AbstractContextManager[None]:
        """Hold the mirror for edits: all of them are kept when the block ends well, else none.

        Nobody else can write to the mirror meanwhile, so compute first. Whoever catches a refusal
        inside the block loses that one edit only. Raises Locked, Refused.
        """
        return self._access.editing()

    def new_dataset(self, remote: str | None = None, **fields: Unpack[DatasetFields]) -> Dataset:
        """Make a dataset here; a push creates it on the server.

        `remote` is needed where the mirror holds several and was not opened for one.
        """
        home = remote or next(iter(self._access.remotes), None)
        return Dataset(self._access, create(self._access, "dataset", home, fields))

    def pending(self) -> Pending:
        """Return what a push would send, and what it would leave out; `dssync diff` shows it."""
        from dssync.sync.planner import plan_within  # brings httpx along

        with self._access.reading() as tx:
            return Pending.of(plan_within(tx, self._access.remotes))
