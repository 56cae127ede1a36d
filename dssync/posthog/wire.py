"""Records read off the wire, lazily: most of a pull is rows that did not change.

Two digests of one record exist. `Reading.digest` is taken over the server's own slices, without
reading any value. `Row.digest` is `row_digest`, taken over the stored values written in one
canonical way (UTF-8, no needless escapes), so it can be computed again from the mirror. For a
server that writes canonically they are the same; for one that escapes differently the first
differs for equal content, and then the values must be compared before anything is called a change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import TypeVar

import msgspec
from msgspec import Raw

from dssync.core.fields import KINDS, ContractName, FieldType, KindName, Stored, Values
from dssync.core.records import Person, Position, Reading, Row
from dssync.core.values import digest
from dssync.net.transport import Answer
from dssync.posthog.answers import decode, unlike_the_api
from dssync.posthog.contract import PageResult

T = TypeVar("T")

Record = dict[str, Raw]

OLD_NAMES = {"ref_timestamp": "ref_trace_timestamp", "ref_source_id": "ref_span_id"}
"""What the oldest classic servers call two fields of an item."""

NULL, TRUE, FALSE = b"null", b"true", b"false"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FIXED = ("id", "created_at", "updated_at", "created_by")


class _Listing(msgspec.Struct, gc=False):
    results: list[Raw]
    count: int | None = None
    next: str | None = None


class _Place(msgspec.Struct, gc=False):
    id: str
    created_at: datetime


_LISTING = msgspec.json.Decoder(_Listing)
_RECORD = msgspec.json.Decoder(Record)
_TEXT = msgspec.json.Decoder(str)
_TEXT_OR_NULL = msgspec.json.Decoder(str | None)
_FLAG = msgspec.json.Decoder(bool | None)
_PLACE = msgspec.json.Decoder(_Place)
_RAW = msgspec.json.Decoder(Raw)
_PROFILE = msgspec.json.Decoder(dict[str, Raw] | None)
_IDENTITY = msgspec.json.Decoder(str | int)
_encode = msgspec.json.Encoder().encode


def read_page(kind: KindName, contract: ContractName, answer: Answer) -> PageResult:
    """Read one page of a list. Raises WrongTarget if it is none."""
    found = decode(answer, _LISTING)
    readings: list[Reading] = [WireReading(kind, contract, raw) for raw in found.results]
    return PageResult(
        readings=readings,
        count=found.count,
        more=found.next is not None,
        server_date=answer.headers.get("date"),
        size_bytes=len(answer.body),
    )


def read_record(kind: KindName, contract: ContractName, answer: Answer) -> Reading:
    """Read one record. Raises WrongTarget if it is none."""
    return WireReading(kind, contract, decode(answer, _RAW))


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where things stand in records that have the same names.

    `fields` has each field's name, what reads it, and its wire name; `lacking` those that the
    contract does not have. `known` and `texts` take slices out of a record: the digest's, and
    those that can be escaped.
    """

    fields: tuple[tuple[str, Callable[[bytes], Stored], str], ...]
    lacking: Values
    known: Callable[[Record], tuple[Raw, ...]]
    texts: Callable[[Record], tuple[Raw, ...]]
    flags: tuple[int, ...]
    extras: tuple[tuple[bytes, str], ...]


@lru_cache(maxsize=256)
def _shape(kind: KindName, contract: ContractName, names: tuple[str, ...]) -> _Shape:
    present = frozenset(names)
    fields = tuple((f, _wire_name(rule.wire, present)) for f, rule in KINDS[kind].on(contract))
    wires = [wire for _, wire in fields]
    missing = [name for name in (*_FIXED, *wires) if name not in present]
    if missing:
        raise unlike_the_api(f"a {kind} without {', '.join(missing)}")
    others = sorted(present - {*wires, *_FIXED})
    texts = tuple(wire for f, wire in fields if f.type not in ("json", "flag"))
    return _Shape(
        tuple((f.name, _READ[f.type], wire) for f, wire in fields),
        lacking=dict.fromkeys(f.name for f in KINDS[kind].fields if f.rule(contract) is None),
        known=itemgetter(*wires, "id", "created_at", "updated_at"),
        texts=itemgetter(*texts, "id", "created_at", "updated_at"),
        flags=tuple(i for i, (f, _) in enumerate(fields) if f.type == "flag"),
        extras=tuple((_encode(name), name) for name in others),
    )


def _wire_name(name: str, present: frozenset[str]) -> str:
    old = OLD_NAMES.get(name, name)
    return old if old in present and name not in present else name


class WireReading:
    """One record as the server wrote it. Raises WrongTarget where that is not the API's.

    It holds a slice of the page and no more: many pages wait to be written at a time.
    """

    __slots__ = ("_contract", "_kind", "_raw", "position")

    def __init__(self, kind: KindName, contract: ContractName, raw: Raw) -> None:
        self._kind = kind
        self._contract = contract
        self._raw = raw
        place = _value(_PLACE, raw)
        moment = place.created_at
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        self.position = Position(-((aware - _EPOCH) // _MICROSECOND), place.id)

    @property
    def id(self) -> str:
        """The server's id."""
        return self.position.id

    @property
    def digest(self) -> bytes:
        """The digest of the server's own slices; a flag that is null counts as false."""
        return _digest(*self._slices())

    def row(self) -> Row:
        """Return the record under dssync's names; fields its contract lacks are None."""
        record, shape = self._slices()
        try:
            row = _read(record, shape)
        except msgspec.DecodeError as error:
            raise unlike_the_api(str(error)) from None
        except UnicodeDecodeError:
            raise unlike_the_api("text that is not UTF-8") from None
        if b"\\" not in b"".join(shape.texts(record)):
            return row  # nothing is escaped, so the server's slices are the canonical ones
        return replace(row, digest=row_digest(self._kind, self._contract, row))

    def _slices(self) -> tuple[Record, _Shape]:
        record = _value(_RECORD, self._raw)
        return record, _shape(self._kind, self._contract, tuple(record))


def _digest(record: Record, shape: _Shape) -> bytes:
    slices: list[bytes] = [*shape.known(record)]
    for i in shape.flags:
        slices[i] = TRUE if bytes(slices[i]) == TRUE else FALSE
    slices.append(_person(bytes(record["created_by"]))[1])
    for encoded, name in shape.extras:
        slices += (encoded, record[name])
    return digest(slices)


def _read(record: Record, shape: _Shape) -> Row:
    values = {**shape.lacking}
    for name, read, wire in shape.fields:
        values[name] = read(record[wire])
    others = b",".join([b"%b:%b" % (name, record[wire]) for name, wire in shape.extras])
    return Row(
        id=_TEXT.decode(record["id"]),
        values=values,
        created_at=_TEXT.decode(record["created_at"]),
        updated_at=_TEXT.decode(record["updated_at"]),
        created_by=_person(bytes(record["created_by"]))[0],
        rest=str(b"{%b}" % others, "utf-8"),
        digest=_digest(record, shape),
    )


def row_digest(kind: KindName, contract: ContractName, row: Row) -> bytes:
    """Compute the canonical digest of a row from its values, whatever its `digest` says.

    Raises WrongTarget if `rest` is no JSON object.
    """
    slices = [_WRITE[f.type](row.values[f.name]) for f, _ in KINDS[kind].on(contract)]
    slices += map(_encode, (row.id, row.created_at, row.updated_at))
    slices.append(_identity(row.created_by))
    for name, value in sorted(_value(_RECORD, row.rest).items()):
        slices += (_encode(name), value)
    return digest(slices)


@lru_cache(maxsize=4096)
def _person(profile: bytes) -> tuple[Person | None, bytes]:
    sent = _value(_PROFILE, profile) or {}
    ids = (bytes(sent[name]) for name in ("uuid", "id") if name in sent)
    lasting = next((found for found in ids if found != NULL), None)
    if lasting is None:
        return None, NULL
    person = Person(str(_value(_IDENTITY, lasting)), _decoded(profile))
    return person, _identity(person)


def _identity(person: Person | None) -> bytes:
    return NULL if person is None else _encode(person.id)


def _value(decoder: "msgspec.json.Decoder[T]", raw: bytes | str) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unlike_the_api(str(error)) from None


def _decoded(raw: bytes) -> str:
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise unlike_the_api("text that is not UTF-8") from None


def _json_text(raw: bytes) -> str | None:
    text = str(raw, "utf-8")
    return None if text == "null" else text


def _flag(raw: bytes) -> int:
    return int(bool(_FLAG.decode(raw)))


_READ: Mapping[FieldType, Callable[[bytes], Stored]] = {
    "text": _TEXT_OR_NULL.decode,
    "time": _TEXT_OR_NULL.decode,
    "reference": _TEXT.decode,
    "json": _json_text,
    "flag": _flag,
}

_WRITE: Mapping[FieldType, Callable[[Stored], bytes]] = {
    "text": _encode,
    "time": _encode,
    "reference": _encode,
    "json": lambda text: NULL if text is None else str(text).encode(),
    "flag": lambda flag: TRUE if flag else FALSE,
}
