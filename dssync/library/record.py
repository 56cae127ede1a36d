"""Datasets and items as typed values: read an attribute, assign to it inside a block of edits."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

from dssync.core.fields import KINDS, Field, KindName, Stored
from dssync.core.pointer import REMOVE, Mark, put, read_pointer
from dssync.errors import Overtaken, ReadOnly, UnknownField, UnknownRecord
from dssync.library.access import Access, Block
from dssync.library.frozen import thaw
from dssync.library.values import decode, encode, moment, plain, printable, refusing
from dssync.mirror import Record as Row
from dssync.mirror import edits, records, writing
from dssync.mirror.mirror import LOCAL
from dssync.mirror.where import Selection


class DatasetFields(TypedDict, total=False):
    """What can be set of a dataset."""

    name: str
    description: str | None
    metadata: Any


class ItemFields(TypedDict, total=False):
    """What can be set of an item; `input`, both outputs and `metadata` are any JSON value."""

    input: Any
    expected_output: Any
    source_output: Any
    metadata: Any
    trace_id: str | None
    event_id: str | None
    trace_timestamp: datetime | None
    client_item_id: str | None


class ItemChanges(ItemFields, total=False):
    """What can be changed of an item; `dataset` moves it, and takes a key as well."""

    dataset: "Dataset | str"


class _Value:
    """A field of a record: reading gives its value, assigning is an edit."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self.__doc__ = f"The record's {field.name} ({field.type})."

    def __get__(self, record: "Record | None", owner: type) -> Any:
        return self if record is None else record._value(self._field)

    def __set__(self, record: "Record", value: object) -> None:
        record._change({self._field.name: value})


class Record:
    """A record as it was read; `reload` reads it anew.

    Assigning to a field is an edit, allowed inside `with mirror.editing():` only, and refused with
    Overtaken where the record changed since it was read in a way that cannot be joined.
    """

    kind: ClassVar[KindName]
    fields: ClassVar[tuple[str, ...]]
    """The names of the fields, in order."""

    def __init_subclass__(cls, kind: KindName) -> None:
        cls.kind, cls.fields = kind, KINDS[kind].names
        for field in KINDS[kind].fields:
            if field.type != "flag":
                setattr(cls, field.name, _Value(field))

    def __init__(self, access: Access, row: Row) -> None:
        self._access = access
        self._take(row)

    def _take(self, row: Row) -> None:
        self._row = row
        self._block: Block | None = self._access.block
        self._known: dict[str, Any] = {}

    def _current(self) -> Row:
        if self._block is not None and self._block.undone:
            self.reload()  # what it shows was never kept
        return self._row

    def _value(self, field: Field) -> Any:
        row = self._current()
        if field.name not in self._known:
            self._known[field.name] = decode(field, row.values[field.name], self._title)
        return self._known[field.name]

    @property
    def _title(self) -> str:
        return f"{self.kind} {printable(self._row.label)}"

    @property
    def key(self) -> str:
        """Its lasting local identity."""
        return self._row.key

    @property
    def id(self) -> str | None:
        """Its id on the server; None until a push made it there."""
        return self._current().id

    @property
    def remote(self) -> str:
        """The remote it belongs to."""
        return self._row.remote

    @property
    def deleted(self) -> bool:
        """Whether it is deleted in the working copy; `delete` and `undelete` change that."""
        return self._current().deleted

    @property
    def created_at(self) -> datetime | None:
        """When the server made it."""
        return _moment(self._current().created_at)

    @property
    def updated_at(self) -> datetime | None:
        """When the server last changed it."""
        return _moment(self._current().updated_at)

    @property
    def absent_since(self) -> datetime | None:
        """Since when the server does not show it any more."""
        return _moment(self._current().absent_since)

    @property
    def created_by(self) -> str | None:
        """Who made it."""
        return self._current().created_by

    def as_dict(self) -> dict[str, Any]:
        """Return key, id, remote and every field in plain values of your own."""
        names = ("key", "id", "remote", *self.fields, "created_at", "updated_at", "created_by")
        return {name: thaw(getattr(self, name)) for name in names}

    def reload(self) -> None:
        """Read it anew. Raises UnknownRecord where it is gone."""
        with self._access.reading() as tx:
            self._take(records.get(tx, self.kind, self.key))

    def set(self, pointer: str, value: Any) -> None:
        """Set a field or a part of one, as `dssync set` does: `/metadata/split`.

        Raises UsageError where there is no such place.
        """
        place = read_pointer(self.kind, pointer)
        if not place.path:
            self._change({place.field.name: value})
            return
        with refusing(pointer, self._title):
            part = plain(value)
        self._put(pointer, part)

    def remove(self, pointer: str) -> None:
        """Remove a part of a JSON field: `/metadata/note`."""
        self._put(pointer, REMOVE)

    def _put(self, pointer: str, value: Any | Mark) -> None:
        place = read_pointer(self.kind, pointer)
        self._write({place.field.name: put(self._current().values, place, value)})

    def delete(self) -> None:
        """Mark it deleted; one that was made here and never pushed really goes."""
        with self._access.step() as tx:
            edits.remove(tx, self.kind, self.key)
        self._look_again()

    def undelete(self) -> None:
        """Bring it back."""
        self._write({"deleted": 0})

    def revert(self, *fields: str) -> bool:
        """Drop local edits of these fields, of all when none is named; tell if there were any.

        A record that was made here goes.
        """
        edits.refuse_unknown(self.kind, fields)
        with self._access.step(LOCAL) as tx:
            dropped = edits.take_back(tx, self.kind, self.key, fields)
        self._look_again()
        return dropped

    def _change(self, given: Mapping[str, object]) -> None:
        self._write(stored(self.kind, given, self._title))

    def _write(self, values: Mapping[str, Stored]) -> None:
        row = self._current()
        with self._access.step() as tx:
            if overtaken := list(writing.write(tx, row, values)):
                raise Overtaken(
                    f"since it was read, {printable('; '.join(map(str, overtaken)))}",
                    hint="reload() it, and decide again",
                )
            now = records.get(tx, self.kind, self.key)
        self._take(now)

    def _look_again(self) -> None:
        """Show what a deletion left; a record that is gone shows what it was, as deleted."""
        try:
            self.reload()
        except UnknownRecord:
            self._take(_as_deleted(self._row))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return self._current() == other._current()

    def __hash__(self) -> int:
        return hash((self.kind, self.key))

    def __repr__(self) -> str:
        name = self._row.values.get("name")
        return f"<{self.kind} {self.key}{f' {name!r}' if name else ''}>"

    if not TYPE_CHECKING:  # to a type checker, other names are mistakes already

        def __getattr__(self, name: str) -> Any:
            raise self._unknown(name)

        def __setattr__(self, name: str, value: object) -> None:
            known = getattr(type(self), name, None)
            if known is None and not name.startswith("_"):
                raise self._unknown(name)
            if known is not None and not isinstance(known, _Value):
                raise _read_only(name, self._title)
            object.__setattr__(self, name, value)

    def _unknown(self, name: str) -> UnknownField:
        close = get_close_matches(name, self.fields, n=1)
        known = ", ".join((*self.fields, "key", "id", "remote", "created_at"))
        return UnknownField(
            f"{'an item' if self.kind == 'item' else 'a dataset'} has no field {name}",
            hint=f"did you mean {close[0]}?" if close else f"it has {known}",
        )


class Dataset(Record, kind="dataset"):
    """A dataset of the mirror, and the way to its items."""

    name: str
    description: str | None
    metadata: Any

    def update(self, **fields: Unpack[DatasetFields]) -> None:
        """Set several fields in one edit."""
        self._change(fields)

    def items(
        self,
        where: str | None = None,
        *,
        deleted: bool = False,
        params: Mapping[str, object] | None = None,
    ) -> "Iterator[Item]":
        """Yield its items, newest first; live ones unless `deleted` adds the rest.

        `where` is what `--where` takes: SQL over the columns of the items. `params` are the values
        of names in it: `items("metadata ->> 'split' = :split", params={"split": "test"})`.
        """
        selection = Selection(
            "item",
            where if where is not None else "1",
            dataset=self.key,
            deleted=deleted,
            params=params or {},
            said="where",
        )
        return (Item(self._access, row) for row in self._access.walk(selection))

    def new_item(self, **fields: Unpack[ItemFields]) -> "Item":
        """Make an item here; a push creates it on the server."""
        return Item(self._access, create(self._access, "item", None, {**fields, "dataset": self}))


class Item(Record, kind="item"):
    """An item of the mirror; `dataset` is the key of its dataset."""

    dataset: str
    input: Any
    expected_output: Any
    source_output: Any
    metadata: Any
    trace_id: str | None
    event_id: str | None
    trace_timestamp: datetime | None
    client_item_id: str | None

    def update(self, **fields: Unpack[ItemChanges]) -> None:
        """Set several fields in one edit."""
        self._change(fields)


def create(access: Access, kind: KindName, remote: str | None, given: Mapping[str, object]) -> Row:
    """Make a record offline and return its row."""
    values = {n: v for n, v in stored(kind, given, f"a new {kind}").items() if v is not None}
    with access.step() as tx:
        return records.get(tx, kind, edits.create(tx, kind, remote, values))


def stored(kind: KindName, given: Mapping[str, object], whose: str) -> dict[str, Stored]:
    """Return fields as the mirror stores them. Raises UsageError for one that cannot be set."""
    edits.refuse_unknown(kind, given)
    if "deleted" in given:
        raise _read_only("deleted", whose)
    fields = KINDS[kind].by_name
    return {name: encode(fields[name], _key(value), whose) for name, value in given.items()}


def _key(value: object) -> object:
    return value.key if isinstance(value, Dataset) else value


def _as_deleted(row: Row) -> Row:
    return replace(row, values={**row.values, "deleted": 1})


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment(text)


def _read_only(name: str, whose: str) -> ReadOnly:
    hint = "use delete() and undelete()" if name == "deleted" else ""
    return ReadOnly(f"{name} of {whose} cannot be set", hint=hint)
