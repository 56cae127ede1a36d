"""JSON as PostgreSQL's jsonb keeps it, and as the server then fails to show it.

A value that the server can save but never answer again makes its row a *poison row*: integers
outside -2**63 .. 2**64-1 (large floats become such integers) and nesting of 252 or more.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal

SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**64 - 1
POISON_DEPTH = 252
PARSE_DEPTH = 500
"""Deeper JSON makes the server's parser give up; well inside Python's own recursion limit."""

_INTEGERS_FROM = 1e16
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class TooDeep(Exception):
    """The JSON is nested more deeply than the server's parser can follow."""


class NotStorable(Exception):
    """The value holds U+0000 or a lone surrogate, which PostgreSQL refuses."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A column's value as JSON text.

    `echo` is what the answer to the write shows, `stored` what a later read shows. `poison` says
    that a read fails, `mute` that the answer to the write fails already.
    """

    echo: str
    stored: str
    poison: bool = False
    mute: bool = False


def plain(value: object) -> Cell:
    """Save a value of a column that is no JSON column: it is shown as it was sent."""
    text = dump(value)
    return Cell(text, text)


def dump(value: object) -> str:
    """Write a value as compact JSON, not escaped; raises ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parse(text: str) -> object:
    """Read JSON strictly; raises ValueError for what is not JSON, and TooDeep."""
    if nests(text, PARSE_DEPTH + 1):
        raise TooDeep
    return json.loads(text, parse_constant=_refuse_constant)


def nests(text: str, levels: int) -> bool:
    """Say whether JSON text is nested at least `levels` deep; `[]` is one level."""
    if text.count("[") + text.count("{") < levels:
        return False
    level = 0
    for token in _TOKENS.finditer(text):
        level += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if level >= levels:
            return True
    return False


def store(value: object) -> Cell:
    """Save a parsed value; raises ValueError for NaN and infinities, and NotStorable."""
    echo = dump(value)
    _refuse_unstorable(echo)
    numbers = _Numbers()
    kept = json.loads(
        echo,
        parse_int=numbers.keep_integer,
        parse_float=numbers.keep_float,
        object_pairs_hook=_in_stored_order,
    )
    stored = dump(kept)
    poison = numbers.mute or numbers.poison or nests(stored, POISON_DEPTH)
    return Cell(echo, stored, poison, numbers.mute)


def search_text(stored: str) -> str:
    """Write stored JSON as PostgreSQL casts it to text, which is what `search` looks in."""
    return json.dumps(json.loads(stored), ensure_ascii=False)


class _Numbers:
    """Converts the numbers of one value and notes those that cannot be shown."""

    def __init__(self) -> None:
        self.mute = False
        self.poison = False

    def keep_integer(self, digits: str) -> int:
        number = int(digits)
        self.mute |= not SMALLEST_INTEGER <= number <= LARGEST_INTEGER
        return number

    def keep_float(self, text: str) -> float | int:
        number = float(text)
        if abs(number) < _INTEGERS_FROM:
            return number or 0.0
        integer = int(Decimal(text))
        self.poison |= not SMALLEST_INTEGER <= integer <= LARGEST_INTEGER
        return integer


def _in_stored_order(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    return {key: values[key] for key in sorted(values, key=_key_rank)}


def _key_rank(key: str) -> tuple[int, bytes]:
    encoded = key.encode()
    return len(encoded), encoded


def _refuse_unstorable(text: str) -> None:
    if _NUL.search(text):
        raise NotStorable
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotStorable from None


def _refuse_constant(name: str) -> object:
    raise ValueError(f"Out of range float values are not JSON compliant: {name}")
