r"""How a value stands in a cell, so that no spreadsheet can change it by opening and saving.

| the value | the cell |
|---|---|
| null | empty |
| text that no program takes for anything else | the text |
| any other text: empty, `007`, `=1+1`, `TRUE`, outer white space | JSON, `"007"` |
| an object or a list | JSON, `{"a":1}` |
| a number, true or false, in a JSON field | JSON behind an apostrophe, `'1.0` |
| what cannot be written | `…`; it is left as it is |

Reading is kinder: a number, TRUE, or any text that begins with none of `{ [ " ' …` is taken too.
"""

import re
from typing import Final

from dssync.core.fields import Field, Stored
from dssync.core.values import BadJson, Json, dump, parse
from dssync.files.escapes import INJECTION, SHEET_ESCAPE, UNSAFE, for_cell, strict

KEEP: Final = "…"
"""The cell of a value that no cell can hold; an import leaves the value as it is."""

PART = 16_000
"""Characters of one cell. Excel cuts what is longer than 32,767 UTF-16 units."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_NAME = re.compile(
    r"(?:b[A-Za-z0-9_-]{20,}"
    r"|(?:new-[0-9a-f]{16}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}))\Z"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")

WORDS = {"true": "true", "false": "false", "null": "null"}

BOOLEANS = frozenset(
    [
        *("true", "false", "null", "wahr", "falsch", "vrai", "faux", "vero", "falso", "verdadero"),
        *("verdadeiro", "waar", "onwaar", "prawda", "fałsz", "sant", "falskt", "sann", "usann"),
        *("tosi", "epätosi", "pravda", "nepravda", "igaz", "hamis", "adevărat"),
    ]
)
"""Single words that a spreadsheet of some language takes for true or false."""


class BadCell(ValueError):
    """A cell that says nothing; the message says why."""


def encode(field: Field, form: Stored) -> str:
    """Return the cell of a value in its stored form."""
    if form is None:
        return ""
    text = str(form)
    if field.type != "json":
        return encode_text(text)
    if text.startswith('"'):
        return encode_text(str(parse(text)))
    return for_cell(text) if text[0] in "{[" else f"'{text}"


def encode_text(text: str) -> str:
    """Return the cell of a text: itself where it is unmistakable, else JSON."""
    return text if is_plain(text) else for_cell(dump(text))


def is_plain(text: str) -> bool:
    """Tell whether no spreadsheet takes `text` for a number, a date, a formula or anything else.

    With digits it needs three different words: a date has two at most.

    >>> is_plain("What is the refund limit?"), is_plain("5 May 2026"), is_plain("-1")
    (True, False, False)
    """
    if _NAME.match(text):
        return True
    if not text[:1].isalpha() or text[-1].isspace() or INJECTION.search(text):
        return False
    if UNSAFE.search(text.replace("\n", "")) or SHEET_ESCAPE.search(text):
        return False
    if any(character.isnumeric() for character in text):
        return len(set(_WORD.findall(text.casefold()))) > 2
    return text.casefold() not in BOOLEANS


def decode(field: Field, cell: str) -> Stored:
    """Return the value that a cell stands for. Raises BadCell."""
    if cell == "":
        return None
    if field.type == "flag":
        return _flag(cell)
    if field.type != "json":
        return decode_text(cell)
    if cell[0] in '{["':
        return _json(cell)
    if cell[0] == "'":
        return _scalar(cell[1:])
    if _NUMBER.match(cell) or cell.casefold() in WORDS:
        return _scalar(cell)
    return dump(cell)


def _flag(cell: str) -> Stored:
    word = cell.removeprefix("'").casefold()
    if word not in ("true", "false", "1", "0"):
        raise BadCell("it is neither TRUE nor FALSE")
    return int(word in ("true", "1"))


def decode_text(cell: str) -> str | None:
    """Return the text that a cell stands for, None for an empty one. Raises BadCell."""
    if not cell:
        return None
    if cell[0] != '"':
        return cell.removeprefix("'")
    value = _parse(cell)
    if not isinstance(value, str):
        raise BadCell("it begins with a quote, so it must be one JSON string")
    return value


def _json(cell: str) -> Stored:
    return _written(_parse(cell))


def _scalar(text: str) -> Stored:
    text = WORDS.get(text.casefold(), text)
    value = _parse(text)
    if isinstance(value, str | list | dict):
        raise BadCell("after the apostrophe stands a number, true or false")
    return None if value is None else _written(value)


def _written(value: Json) -> str:
    try:
        return strict(value)
    except BadJson as error:
        raise BadCell(str(error)) from None


def _parse(text: str) -> Json:
    try:
        return parse(text)
    except BadJson as error:
        raise BadCell(str(error)) from None


def split(cell: str) -> list[str]:
    """Cut a cell that is too long into parts; an ellipsis joins each to the next.

    >>> [len(part) for part in split("x" * 40_000)]
    [16001, 16002, 8001]
    """
    if len(cell) <= PART:
        return [cell]
    parts = [cell[at : at + PART] for at in range(0, len(cell), PART)]
    last = len(parts) - 1
    return [
        f"{KEEP if at else ''}{part}{KEEP if at < last else ''}" for at, part in enumerate(parts)
    ]


def join(parts: list[str]) -> str:
    """Put the parts of a cell together again. Raises BadCell when one is missing."""
    used = [part for part in parts if part]
    if len(used) == 1 and len(used[0]) <= PART:
        return used[0]
    last = len(used) - 1
    fits = used == parts[: len(used)] and all(
        (at == 0 or part[0] == KEEP) and (at == last or part[-1] == KEEP)
        for at, part in enumerate(used)
    )
    if not fits:
        raise BadCell("it does not fit its continuation columns")
    if used and used[-1][-1] == KEEP and len(used[-1]) > PART:
        raise BadCell("its continuation is missing")
    return "".join(part[at > 0 : len(part) - (at < last)] for at, part in enumerate(used))
