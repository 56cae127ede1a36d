"""One record as files hold it: its id, its fields in stored form, and what it was when exported.

The `base` of a record is a short digest of each field. It travels with the record, through Git,
spreadsheets and mail, and tells an import which side changed a field since: the file or the mirror.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from dssync.core.fields import KINDS, ContractName, Field, KindName, Stored
from dssync.core.values import POISON_DEPTH, BadJson, canonical, parse, poison, stored_form
from dssync.mirror.working import Home, Working

ID, BASE, DELETED = "id", "base", "deleted"

PRINT_BYTES = 4
"""Enough: a digest only decides between two values that are known to differ."""

Prints = Mapping[str, bytes]
"""A short digest of each field, by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record to write; `values` are stored forms, without what no file can hold."""

    id: str
    values: Mapping[str, Stored]
    base: str


@cache
def fields_of(kind: KindName, contract: ContractName) -> tuple[Field, ...]:
    """Return the fields that a base tells of: those of the contract, but for `deleted`."""
    return tuple(field for field, _ in KINDS[kind].on(contract) if field.name != DELETED)


@cache
def columns_of(kind: KindName, contract: ContractName) -> tuple[Field, ...]:
    """Return the fields that a row holds; the file says in which dataset it is."""
    return tuple(field for field in fields_of(kind, contract) if field.type != "reference")


def row_of(record: Working, fields: Sequence[Field], homes: Mapping[str, Home]) -> Row:
    """Lay a record of the mirror out as files have it."""
    if record.kind == "dataset":
        return make_row(record.name, record.values, fields)
    home = homes[str(record.values["dataset"])]
    return make_row(record.name, {**record.values, "dataset": home.name}, fields)


def make_row(id: str, values: Mapping[str, Stored], fields: Sequence[Field]) -> Row:
    """Lay a record out; a reference in `values` is an id."""
    prints: list[bytes] = []
    held: dict[str, Stored] = {}
    for field in fields:
        form, readable = _form(field, values[field.name])
        prints.append(fingerprint(form))
        if readable and field.type != "reference":
            held[field.name] = form
    return Row(id, held, token(prints))


def _form(field: Field, value: Stored) -> tuple[Stored, bool]:
    """Return a stored form, and whether it can be read again.

    What no server could show may stand in a mirror all the same. Only what might be such a value
    is read to find out: reading every value would double the cost of an export.
    """
    if field.type != "json" or value is None:
        return stored_form(field, value), True
    try:
        text = canonical(value)
        if "Infinity" in text or text.count("[") + text.count("{") >= POISON_DEPTH:
            return text, poison(parse(text)) is None
    except BadJson:
        return value, False
    return (None if text == "null" else text), True


def fingerprint(form: Stored) -> bytes:
    """Return the digest of a stored form; null has one of its own."""
    if form is None:
        return bytes(PRINT_BYTES)
    return blake2b(str(form).encode("utf-8", "surrogatepass"), digest_size=PRINT_BYTES).digest()


def token(prints: Sequence[bytes]) -> str:
    """Write digests as one word that begins with a letter."""
    return f"b{urlsafe_b64encode(b''.join(prints)).decode().rstrip('=')}"


def read_token(text: str, fields: Sequence[Field]) -> Prints:
    """Read a base. Raises ValueError for one that was not written for these fields."""
    length = PRINT_BYTES * len(fields)
    try:
        joined = urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
    except (BadBase64, ValueError):
        joined = b""
    if text[:1] != "b" or len(joined) != length:
        raise ValueError("it is not the base that the export wrote; leave the whole cell empty")
    cut = range(0, length, PRINT_BYTES)
    return {f.name: joined[at : at + PRINT_BYTES] for f, at in zip(fields, cut, strict=True)}
