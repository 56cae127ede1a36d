"""Records read off the wire, a page at a time and lazily: most of a pull did not change.

Records of one list have the same names, so a `_Form` is made of the names that were met: a type
that msgspec fills in one call for a whole page, JSON fields as the server's own slices. What comes
in another form is read record by record.

The digest is taken over the stored values written in one canonical way: JSON as the server wrote
it, everything else encoded anew. So it can be computed again from the mirror, by `row_digest`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

import msgspec
from msgspec import Raw

from dssync.core.fields import KINDS, ContractName, FieldType, KindName, Stored
from dssync.core.records import Person, Position, Reading, Row
from dssync.core.values import digest
from dssync.net.transport import Answer
from dssync.posthog.answers import decode, unlike_the_api
from dssync.posthog.contract import PageResult

T = TypeVar("T")

OLD_NAMES = {"ref_timestamp": "ref_trace_timestamp", "ref_source_id": "ref_span_id"}
"""What the oldest classic servers call two fields of an item."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_FIXED: Mapping[str, object] = {"id": str, "created_at": str, "updated_at": str, "created_by": Raw}
_WIRE_TYPES: Mapping[FieldType, object] = {
    "text": str | None,
    "time": str | None,
    "reference": str,
    "json": Raw,
    "flag": bool | None,
}

HEAD = 3
"""Before the fields of a record stand its id and its two times."""

_PLAIN_NAME = str.isidentifier
"""Which names of extra fields a form can take; what else a server may call them is kept aside."""


class _Listing(msgspec.Struct, gc=False):
    results: list[Raw]
    count: int | None = None
    next: str | None = None


_LISTING = msgspec.json.Decoder(_Listing)
_SLICES = msgspec.json.Decoder(dict[str, Raw])
_RAW = msgspec.json.Decoder(Raw)
_PROFILE = msgspec.json.Decoder(dict[str, Raw] | None)
_IDENTITY = msgspec.json.Decoder(str | int)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class _Form:
    """How to read records of the same names.

    `values` takes the head, the fields and the extra fields out of a record, in this order; `pick`
    puts the fields, with None behind them for those the contract lacks, into the kind's own order.
    The fields stand from HEAD to `end`; `jsons` and `flags` are the places of such among them, and
    `strange` the extra names that are kept aside.
    """

    kind: KindName
    record: type[Any]
    values: Callable[[Any], tuple[Any, ...]]
    pick: Callable[[list[Any]], tuple[Stored, ...]]
    end: int
    jsons: tuple[int, ...]
    flags: tuple[int, ...]
    extras: tuple[str, ...]
    strange: frozenset[str]

    @cached_property
    def page(self) -> "msgspec.json.Decoder[Any]":
        """Return what reads a whole page of such records."""
        results = ("results", list[self.record])  # type: ignore[name-defined]
        hints = [("count", int | None, None), ("next", str | None, None)]
        return msgspec.json.Decoder(msgspec.defstruct("Page", [results, *hints], gc=False))

    @cached_property
    def one(self) -> "msgspec.json.Decoder[Any]":
        """Return what reads one such record."""
        return msgspec.json.Decoder(self.record)


@lru_cache(maxsize=256)
def _form(kind: KindName, contract: ContractName, names: frozenset[str]) -> _Form:
    fields = [(f, _wire_name(rule.wire, names)) for f, rule in KINDS[kind].on(contract)]
    known = {*_FIXED, *(wire for _, wire in fields)}
    if missing := sorted(known - names):
        raise unlike_the_api(f"a {kind} without {', '.join(missing)}")
    extras = sorted(name for name in names - known if _PLAIN_NAME(name))
    wires = {f.name: wire for f, wire in fields} | {f"extra{i}": n for i, n in enumerate(extras)}
    types = [(f.name, _WIRE_TYPES[f.type]) for f, _ in fields]
    types += [(f"extra{i}", Raw) for i in range(len(extras))]
    record = msgspec.defstruct(
        "Record", [*_FIXED.items(), *types], rename=wires, forbid_unknown_fields=True, gc=False
    )
    places = {f.name: place for place, (f, _) in enumerate(fields, HEAD)}
    end = HEAD + len(fields)
    return _Form(
        kind=kind,
        record=record,
        values=attrgetter("id", "created_at", "updated_at", *wires),
        pick=itemgetter(*(places.get(name, end) for name in KINDS[kind].names)),
        end=end,
        jsons=tuple(places[f.name] for f, _ in fields if f.type == "json"),
        flags=tuple(places[f.name] for f, _ in fields if f.type == "flag"),
        extras=tuple(extras),
        strange=frozenset(names - known - set(extras)),
    )


def _wire_name(name: str, present: frozenset[str]) -> str:
    old = OLD_NAMES.get(name, name)
    return old if old in present and name not in present else name


class Reader:
    """Reads one kind of record as one server writes it; any number of threads may share it."""

    def __init__(self, kind: KindName, contract: ContractName) -> None:
        self._kind = kind
        self._contract = contract
        self._met: _Form | None = None  # the form of the last page; the next is nearly always alike

    def page(self, answer: Answer) -> PageResult:
        """Read one page of a list. Raises WrongTarget if it is none."""
        found, readings = self._alike(answer) or self._one_by_one(answer)
        return PageResult(
            readings=readings,
            count=found.count,
            more=found.next is not None,
            server_date=answer.headers.get("date"),
            size_bytes=len(answer.body),
        )

    def record(self, answer: Answer) -> Reading:
        """Read one record. Raises WrongTarget if it is none."""
        return self._read(decode(answer, _RAW))

    def _alike(self, answer: Answer) -> tuple[_Listing, list[Reading]] | None:
        """Read a page of records that have the form of the last page's; None if they have not."""
        form = self._met
        if form is None:
            return None
        try:
            found = form.page.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # if it is no page at all, reading it one by one says why
        return found, [WireReading(form, record) for record in found.results]

    def _one_by_one(self, answer: Answer) -> tuple[_Listing, list[Reading]]:
        found = decode(answer, _LISTING)
        readings = [self._read(raw) for raw in found.results]
        self._met = readings[-1].form if readings and not readings[-1].form.strange else None
        return found, [*readings]

    def _read(self, raw: Raw) -> "WireReading":
        slices = _value(_SLICES, raw)
        form = _form(self._kind, self._contract, frozenset(slices))
        if not form.strange:
            return WireReading(form, _value(form.one, raw))
        aside = {name: slices.pop(name) for name in sorted(form.strange)}
        return WireReading(form, _value(form.one, _encode(slices)), aside)


class WireReading:
    """One record as the server wrote it. Raises WrongTarget where that is not the API's.

    Its place and its digest are found at once, in the thread that fetched it; its values only when
    they are asked for. It holds slices of its page and no more: many pages wait to be written.
    """

    __slots__ = ("_aside", "_person", "_row", "_sent", "digest", "form", "position")

    def __init__(self, form: _Form, record: Any, aside: Mapping[str, Raw] | None = None) -> None:
        self.form = form
        self._aside = aside
        self._row: Row | None = None
        self._person = _person(bytes(record.created_by))
        self._sent = sent = form.values(record)
        for place in form.flags:
            if sent[place] is None:  # counts as false
                self._sent = sent = (*sent[:place], False, *sent[place + 1 :])
        self.position = Position(_newness(record.created_at), record.id)
        self.digest = self._hashed() if aside else _hash(sent, form.extras, self._person)

    @property
    def id(self) -> str:
        """The server's id."""
        return self.position.id

    def row(self) -> Row:
        """Return the record under dssync's names; fields its contract lacks are None."""
        if self._row is None:
            try:
                self._row = self._read()
            except UnicodeDecodeError:
                raise unlike_the_api("text that is not UTF-8") from None
            self._sent = ()  # the page can go, now that the row is made
        return self._row

    def _read(self) -> Row:
        form, sent = self.form, self._sent
        stored = [*sent[: form.end], None]
        for place in form.jsons:
            text = str(sent[place], "utf-8")
            stored[place] = None if text == "null" else text
        for place in form.flags:
            stored[place] = int(sent[place])
        rest = str(_encode(dict(self._extras())), "utf-8")
        id, created_at, updated_at = sent[:HEAD]
        fields = form.pick(stored)
        return Row(form.kind, id, fields, created_at, updated_at, self._person, rest, self.digest)

    def _extras(self) -> Iterable[tuple[str, Raw]]:
        found = zip(self.form.extras, self._sent[self.form.end :], strict=True)
        return sorted([*found, *self._aside.items()]) if self._aside else found

    def _hashed(self) -> bytes:
        names, values = zip(*self._extras(), strict=True)
        return _hash((*self._sent[: self.form.end], *values), names, self._person)


def _hash(values: tuple[Any, ...], extras: tuple[str, ...], person: Person | None) -> bytes:
    return digest(_encode((values, extras, person and person.id)))


def row_digest(contract: ContractName, row: Row) -> bytes:
    """Compute the digest of a row from its values, whatever its `digest` says.

    Raises WrongTarget if `rest` is no JSON object.
    """
    stored, extras = row.values, sorted(_value(_SLICES, row.rest).items())
    fields = [_SENT[f.type](stored[f.name]) for f, _ in KINDS[row.kind].on(contract)]
    values = (row.id, row.created_at, row.updated_at, *fields, *(raw for _, raw in extras))
    return _hash(values, tuple(name for name, _ in extras), row.created_by)


_SENT: Mapping[FieldType, Callable[[Stored], object]] = {
    "text": lambda text: text,
    "time": lambda time: time,
    "reference": lambda id: id,
    "json": lambda text: None if text is None else Raw(str(text)),
    "flag": bool,
}


def _newness(created_at: str) -> int:
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError as error:
        raise unlike_the_api(str(error)) from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return -((aware - _EPOCH) // _MICROSECOND)


@lru_cache(maxsize=4096)
def _person(profile: bytes) -> Person | None:
    sent = _value(_PROFILE, profile) or {}
    ids = (bytes(sent[name]) for name in ("uuid", "id") if name in sent)
    lasting = next((found for found in ids if found != b"null"), None)
    if lasting is None:
        return None
    try:
        return Person(str(_value(_IDENTITY, lasting)), str(profile, "utf-8"))
    except UnicodeDecodeError:
        raise unlike_the_api("text that is not UTF-8") from None


def _value(decoder: "msgspec.json.Decoder[T]", raw: bytes | str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unlike_the_api(str(error)) from None
