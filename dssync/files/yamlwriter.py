"""JSON values as YAML that people edit: what is written reads back as the same value.

Text that could be taken for something else stands in quotes, long text and text of several lines
stands as a block. PyYAML would write emoji as escapes, and break long lines, so the writing is
done here; `yamltext` reads.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.core.values import Json
from dssync.files.yamltext import NO_NUMBER, WORDS

LONG = 60
"""Longer text stands as a block, where nothing in it needs quotes."""

DEEP = 12
"""Below this the rest stands on one line, as JSON does: blocks would run out of the screen."""

LONGEST_KEY = 1000
"""A longer key needs a mark of its own, or YAML does not look for its colon."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
    "\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What an editor does not show, or shows as a line break; it is written as an escape."""

_PLAIN = re.compile(r"[^\W\d](?:[\w .,;/()+*=<>$!?'-]*[\w.,;/()+*=<>$!?'])?")
_KEY = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAKEN_ELSEWHERE = re.compile("yes|no|on|off|y|n", re.IGNORECASE)
"""Other readers of YAML take these for true and false, so people do, too."""


def write(value: Json) -> str:
    """Write a value as a YAML document."""
    return "\n".join(_block(value, 0, "")) + "\n"


def write_field(name: str, value: Json, indent: str = "") -> Iterator[str]:
    """Yield the lines of one named value."""
    yield from _entry(_key(name), value, len(indent) // 2, indent)


def _block(value: Json, level: int, indent: str) -> Iterator[str]:
    """Yield the lines of a value that stands by itself."""
    if not value or not isinstance(value, dict | list) or level >= DEEP:
        head, *lines = _scalar(value, indent)
        yield f"{indent}{head}"
        yield from lines
    elif isinstance(value, dict):
        for name, child in value.items():
            yield from _entry(_key(name), child, level, indent)
    else:
        for child in value:
            yield from _element(child, level, indent)


def _element(child: Json, level: int, indent: str) -> Iterator[str]:
    """Yield the lines of a list's element; the first one carries the hyphen."""
    head, *lines = _block(child, level + 1, f"{indent}  ")
    yield f"{indent}- {head.removeprefix(f'{indent}  ')}"
    yield from lines


def _entry(key: str, child: Json, level: int, indent: str) -> Iterator[str]:
    if len(key) > LONGEST_KEY:
        yield f"{indent}? {key}"
        key = ""
    if child and isinstance(child, dict | list) and level + 1 < DEEP:
        yield f"{indent}{key}:"
        yield from _block(child, level + 1, f"{indent}  ")
        return
    head, *lines = _scalar(child, indent)
    yield f"{indent}{key}: {head}"
    yield from lines


def _scalar(value: Json, indent: str) -> list[str]:
    """Return the first line of a value, to stand behind its key, and the lines below it."""
    if isinstance(value, dict | list):
        return [_flow(value)]
    if not isinstance(value, str):
        return [json.dumps(value)]
    if _fits_block(value) and ("\n" in value.rstrip("\n") or len(value) > LONG):
        mark = "|" if value.endswith("\n") else "|-"
        body = value.removesuffix("\n").split("\n")
        return [mark, *(f"{indent}  {line}" if line else "" for line in body)]
    return [_text(value)]


def _fits_block(text: str) -> bool:
    """Tell whether text can stand as a block without losing anything."""
    lines = text.removesuffix("\n").split("\n")
    return (
        not _HIDDEN.search(text)
        and bool(lines[-1])
        and not lines[0].startswith((" ", "\t"))
        and bool(lines[0])
        and not any(line.endswith((" ", "\t")) for line in lines)
    )


def _text(text: str) -> str:
    if _KEY.fullmatch(text) or (_PLAIN.fullmatch(text) and not _means_something(text)):
        return text
    return _quoted(text)


def _means_something(text: str) -> bool:
    """Tell whether text without quotes would not be text, or not look like it."""
    return (
        text in WORDS
        or bool(NO_NUMBER.fullmatch(text) or _TAKEN_ELSEWHERE.fullmatch(text))
        or len(text) > LONG
    )


def _key(name: str) -> str:
    return _text(name)


def _quoted(text: str) -> str:
    """Write text in quotes; JSON's quotes are YAML's, but for the halves of a pair."""
    return _HIDDEN.sub(_escaped, json.dumps(text, ensure_ascii=False))


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _flow(value: Json) -> str:
    """Write a value on one line; it keeps its own stack, so no nesting is too deep."""
    done: list[str] = []
    todo: list[_Sign | Json] = [value]
    while todo:
        found = todo.pop()
        if isinstance(found, _Sign):
            done.append(found.text)
        elif isinstance(found, dict):
            todo += _reversed("{", [[_Sign(_flow_key(k)), v] for k, v in found.items()], "}")
        elif isinstance(found, list):
            todo += _reversed("[", [[element] for element in found], "]")
        else:
            done.append(_quoted(found) if isinstance(found, str) else json.dumps(found))
    return "".join(done)


@dataclass(frozen=True, slots=True)
class _Sign:
    """A piece of YAML that stands as it is."""

    text: str


def _reversed(
    first: str, groups: Sequence[Sequence[_Sign | Json]], last: str
) -> list[_Sign | Json]:
    """Return the pieces of a list or an object, the last one first."""
    pieces: list[_Sign | Json] = [_Sign(first)]
    for at, group in enumerate(groups):
        pieces += [_Sign(", " if at else ""), *group]
    return [_Sign(last), *reversed(pieces)]


def _flow_key(name: str) -> str:
    quoted = _quoted(name)
    return f"? {quoted} : " if len(quoted) > LONGEST_KEY else f"{quoted}: "
