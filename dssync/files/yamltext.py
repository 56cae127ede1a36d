"""YAML that people wrote, as JSON values and the lines they stand on.

Only what JSON can say is read: `no`, `on`, `0123` and dates are text, as they would be in any other
field, and keys are text, whatever they look like.
"""

import json
import re
from dataclasses import dataclass, field
from math import isinf

import yaml

from dssync.core.values import Json

KNOWN_LINES = 3
"""So many levels down the line of each value is remembered."""

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
NO_NUMBER = re.compile(r"[-+]?\.?(?:nan|inf|infinity)", re.IGNORECASE)
WORDS: dict[str, bool | None] = {
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


def read(text: str) -> Loaded:
    """Read one YAML document. Raises BadYaml.

    What the fast parser refuses is read once more by the other one, which says what is wrong.
    """
    try:
        return _read(text, _FAST)
    except (yaml.YAMLError, BadYaml):
        return _read_well(text)


def _read(text: str, loader: type) -> Loaded:
    building = _Building()
    for event in yaml.parse(text, Loader=loader):
        building.take(event)
    return Loaded(building.value, building.lines)


def _read_well(text: str) -> Loaded:
    try:
        return _read(text, yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        sign = text[error.position]
        line = text.count("\n", 0, error.position) + 1
        raise BadYaml(line, f"a character stands here as it is: U+{ord(sign):04X}") from None
    except yaml.MarkedYAMLError as error:
        raise _bad(error) from None


_FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it; ten times as fast."""


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
        if not event.style and not event.value:
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
    quoted = event.style or tag is not None  # plain is None to one parser, '' to the other
    return _joined(event.value) if quoted else _plain(event.value, line)


def _plain(text: str, line: int) -> Json:
    """Return what text without quotes means."""
    if text in WORDS:
        return WORDS[text]
    if NO_NUMBER.fullmatch(text):
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
