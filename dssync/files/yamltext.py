"""JSON values as YAML that people edit: what is written reads back as the same value.

Text that could be taken for something else stands in quotes, long text and text of several lines
stands as a block. Only what JSON can say is read: `no`, `on`, `0123` and dates are text, as they
would be in any other field, and keys are text, whatever they look like. PyYAML reads; it would
write emoji as escapes, and break long lines, so the writing is done here.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import isinf

import yaml

from dssync.core.values import Json

LONG = 60
"""Longer text stands as a block, where nothing in it needs quotes."""

DEEP = 12
"""Below this the rest stands on one line, as JSON does: blocks would run out of the screen."""

LONGEST_KEY = 1000
"""A longer key needs a mark of its own, or YAML does not look for its colon."""

KNOWN_LINES = 3
"""So many levels down the line of each value is remembered."""

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"
    "\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What an editor does not show, or shows as a line break; it is written as an escape."""

_PLAIN = re.compile(r"[^\W\d](?:[\w .,;/()+*=<>$!?'-]*[\w.,;/()+*=<>$!?'])?")
_KEY = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TAKEN_ELSEWHERE = re.compile("yes|no|on|off|y|n", re.IGNORECASE)
"""Other readers of YAML take these for true and false, so people do, too."""

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")

Path = tuple[str | int, ...]


class BadYaml(ValueError):
    """The text is no YAML that says what JSON can; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Loaded:
    """A value, and on which line the things in its upper levels stand."""

    value: Json
    lines: dict[Path, int]


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
        text in _WORDS
        or bool(_NO_NUMBER.fullmatch(text) or _TAKEN_ELSEWHERE.fullmatch(text))
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


def read(text: str) -> Loaded:
    """Read one YAML document. Raises BadYaml."""
    building = _Building()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            building.take(event)
    except yaml.reader.ReaderError as error:
        sign = text[error.position]
        line = text.count("\n", 0, error.position) + 1
        raise BadYaml(line, f"a character stands here as it is: U+{ord(sign):04X}") from None
    except yaml.MarkedYAMLError as error:
        raise _bad(error) from None
    return Loaded(building.value, building.lines)


_LOADER = yaml.SafeLoader


def _bad(error: yaml.MarkedYAMLError) -> BadYaml:
    said, mark = str(error.problem or error), error.problem_mark
    if "end of stream" in said:  # what was opened is the mistake, not the end of the file
        said, mark = f"{said} {error.context}", error.context_mark
    if "cannot start any token" in said or "mapping values" in said:
        said += "; put text in quotes if it begins with a sign, or holds a colon"
    return BadYaml(mark.line + 1 if mark else 1, said)


@dataclass(slots=True)
class _Building:
    """Builds a value from YAML's events; it keeps its own stack, so no nesting is too deep."""

    value: Json = None
    lines: dict[Path, int] = field(default_factory=dict)
    _open: list["_Level"] = field(default_factory=list)
    _documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        line = _line_of(event)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise BadYaml(line, "a second document begins here; only one is read")
        elif isinstance(event, yaml.AliasEvent):
            raise BadYaml(line, "text that begins with * needs quotes: YAML takes it for a link")
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()

    def _node(self, event: yaml.NodeEvent, line: int) -> None:
        if event.anchor is not None:
            raise BadYaml(line, "text that begins with & needs quotes: YAML takes it for a link")
        above = self._open[-1] if self._open else None
        if above is not None and above.wants_key:
            self._key(above, event, line)
            return
        value = _value(event, line)
        path: Path = () if above is None else (*above.path, above.place)
        if len(path) <= KNOWN_LINES:
            self.lines.setdefault(path, line)
        if above is None:
            self.value = value
        else:
            above.add(value)
        if isinstance(value, dict | list):
            self._open.append(_Level(value, path[: KNOWN_LINES + 1]))

    def _key(self, above: "_Level", event: yaml.NodeEvent, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise BadYaml(line, "a name is a text, not a list or an object")
        if event.style is None and not event.value:
            raise BadYaml(line, "there is no name before the colon")
        name = _joined(event.value)
        if isinstance(above.value, dict) and name in above.value:
            raise BadYaml(line, f"{json.dumps(name, ensure_ascii=False)} stands twice")
        above.name = name
        path = (*above.path, name)
        if len(path) <= KNOWN_LINES:
            self.lines[path] = line


def _line_of(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


@dataclass(slots=True)
class _Level:
    """A list or an object that is not closed yet; `name` is the key whose value comes next."""

    value: dict[str, Json] | list[Json]
    path: Path
    name: str | None = None

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.name is None

    @property
    def place(self) -> str | int:
        return len(self.value) if self.name is None else self.name

    def add(self, child: Json) -> None:
        if isinstance(self.value, list):
            self.value.append(child)
        elif self.name is not None:
            self.value[self.name] = child
            self.name = None


def _value(event: yaml.NodeEvent, line: int) -> Json:
    tag = getattr(event, "tag", None)
    if tag is not None and tag not in _TEXT_TAGS:
        raise BadYaml(line, "text that begins with ! needs quotes: YAML takes it for a type")
    if isinstance(event, yaml.MappingStartEvent):
        return {}
    if not isinstance(event, yaml.ScalarEvent):
        return []
    quoted = event.style is not None or tag is not None
    return _joined(event.value) if quoted else _plain(event.value, line)


def _plain(text: str, line: int) -> Json:
    """Return what text without quotes means."""
    if text in _WORDS:
        return _WORDS[text]
    if _NO_NUMBER.fullmatch(text):
        raise BadYaml(line, f"{text} is no number that JSON has; put it in quotes if it is text")
    if _INTEGER.fullmatch(text):
        return _integer(text, line)
    if _FLOAT.fullmatch(text):
        if isinf(float(text)):
            raise BadYaml(line, f"{text} is too large a number; put it in quotes if it is text")
        return float(text)
    return _joined(text)


def _integer(text: str, line: int) -> int:
    try:
        return int(text)
    except ValueError:  # more digits than Python reads
        raise BadYaml(line, "a number has too many digits") from None


def _joined(text: str) -> str:
    """Make one character of two escapes that are the halves of a pair."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
