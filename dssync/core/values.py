"""Stored values compared as the server compares them after storing.

The server parses a write into binary64 floats and exact integers, stores jsonb, and shows on the
next read what came out of that: keys reordered, `1e2` as `100.0`, large floats as integers. Two
texts are equal here when the server would show the same thing for both.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b

from dssync.core.fields import Field, Stored

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

SMALLEST, LARGEST = -(2**63), 2**64 - 1
"""The integers the server can show; large floats are stored as integers, and count as such."""

POISON_DEPTH = 252
"""Containers nested this deep are stored, and can then never be shown."""

DIGEST_BYTES = 16

_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of surrogate pairs: JSON can say them in escapes, a database cannot hold them."""


class BadJson(ValueError):
    """The text is no JSON the server would take; the message says why."""


def parse(text: Stored) -> Json:
    """Read JSON text; SQL NULL is JSON null. Raises BadJson."""
    if text is None:
        return None
    try:
        value: Json = json.loads(str(text), parse_constant=_refuse_constant)
    except RecursionError:
        raise BadJson("it is nested too deeply") from None
    except BadJson:
        raise
    except ValueError as error:  # also an integer of more digits than Python reads
        raise BadJson(f"it is not JSON ({error})") from None
    return value


def _refuse_constant(name: str) -> Json:
    raise BadJson(f"{name} is not JSON")


def normal(value: Json) -> Json:
    """Return `value` as the server shows it once it is stored."""
    if isinstance(value, float):
        return _normal_float(value)
    if isinstance(value, list):
        return [normal(element) for element in value]
    if isinstance(value, dict):
        return {key: normal(value[key]) for key in sorted(value, key=_jsonb_order)}
    return value


def _normal_float(value: float) -> float | int:
    if value == 0:
        return 0.0  # jsonb has no negative zero
    if abs(value) >= 1e16 and math.isfinite(value):
        return int(Decimal(repr(value)))  # written without an exponent, so read back as an integer
    return value


def _jsonb_order(key: str) -> tuple[int, bytes]:
    encoded = key.encode("utf-8", "surrogatepass")
    return len(encoded), encoded


def dump(value: Json) -> str:
    """Write `value` as compact JSON text, keys in the order given."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _HALVES.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def canonical(text: Stored) -> str:
    """Return the one text that stands for all texts the server stores alike. Raises BadJson."""
    try:
        return dump(normal(parse(text)))
    except RecursionError:
        raise BadJson("it is nested too deeply") from None


def canonical_time(text: str) -> str:
    """Return an ISO 8601 time as the server shows it: UTC, microseconds only where there are any.

    A time without a zone means UTC. Raises ValueError.
    """
    moment = datetime.fromisoformat(text)
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text} lies outside the years 1 to 9999") from None
    return moment.isoformat().replace("+00:00", "Z")


def stored_form(field: Field, value: Stored) -> Stored:
    """Return `value` as the server would hold it; what cannot be read that way stays as it is."""
    if field.type == "flag":
        return int(bool(value))
    if value is None:
        return None
    if field.type == "json":
        return _canonical_or_same(value)
    if field.type == "time":
        return _canonical_time_or_same(str(value))
    return str(value).strip() if field.trimmed else value


def _canonical_or_same(value: Stored) -> Stored:
    try:
        text = canonical(value)
    except BadJson:
        return value
    return None if text == "null" else text


def _canonical_time_or_same(value: str) -> str:
    try:
        return canonical_time(value)
    except ValueError:
        return value


def equal(field: Field, left: Stored, right: Stored) -> bool:
    """Tell whether the server would hold the same value for both."""
    return left == right or stored_form(field, left) == stored_form(field, right)


def differing(
    fields: Iterable[Field], left: Mapping[str, Stored], right: Mapping[str, Stored]
) -> tuple[str, ...]:
    """Name the fields in which two records differ, in the order of `fields`."""
    return tuple(f.name for f in fields if not equal(f, left[f.name], right[f.name]))


def poison(value: Json) -> str | None:
    """Say why the server could store `value` but never show it, or refuse it; None if it is fine.

    The walk keeps its own stack, so no nesting is too deep for it.
    """
    stack: list[tuple[Json, int]] = [(value, 1)]
    while stack:
        found, depth = stack.pop()
        reason = _poison_scalar(found)
        if reason:
            return reason
        if isinstance(found, dict | list):
            if depth >= POISON_DEPTH:
                return f"it is nested {POISON_DEPTH} levels deep or more"
            stack.extend((key, depth) for key in found if isinstance(found, dict))
            children = found.values() if isinstance(found, dict) else found
            stack.extend((child, depth + 1) for child in children)
    return None


def _poison_scalar(value: Json) -> str | None:
    if isinstance(value, str):
        return bad_text(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        return "an integer needs more than 64 bits"
    if isinstance(value, float) and not SMALLEST <= _normal_float(value) <= LARGEST:
        return "a number is too large"
    return None


def bad_text(text: str) -> str | None:
    """Say why the server would refuse `text`; None if it is fine."""
    if "\0" in text:
        return "text contains the character U+0000"
    if any("\ud800" <= c <= "\udfff" for c in text):
        return "text contains half of a surrogate pair"
    return None


def digest(content: bytes) -> bytes:
    """Return the 16-byte digest of a record's content."""
    return blake2b(content, digest_size=DIGEST_BYTES).digest()


def digest_of(*values: Stored | bytes) -> bytes:
    """Return the 16-byte digest of some stored values, each with its type and its length."""
    return digest(b"".join(_framed(value) for value in values))


def _framed(value: Stored | bytes) -> bytes:
    name, content = type(value).__name__.encode(), value
    if not isinstance(content, bytes):
        content = str(content).encode("utf-8", "surrogatepass")
    return b"%b %d:%b" % (name, len(content), content)


PRINT = 8
"""So many bytes stand for one value in `prints`."""


def prints(fields: Iterable[Field], values: Mapping[str, Stored]) -> bytes:
    """Return a short digest of each value, one behind the other, as the server would hold it."""
    return b"".join(
        blake2b(_framed(stored_form(f, values[f.name])), digest_size=PRINT).digest() for f in fields
    )
