"""A record, or a dataset with its items, as a page of YAML that people edit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Final

from dssync.core.fields import KINDS, ContractName, Field, KindName, Stored, Values
from dssync.core.pointer import to_stored
from dssync.core.rules import reasons
from dssync.core.values import BadJson, Json, equal, parse
from dssync.errors import UsageError
from dssync.files.yamltext import BadYaml, Path, read
from dssync.files.yamlwriter import write_field
from dssync.mirror import Record

KEY: Final = "key"
ITEMS: Final = "items"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong on a page, and on which line of it, from 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Edited:
    """One record of a page and the fields that a person changed in it; without one, a new item."""

    record: Record | None
    values: Values


@dataclass(frozen=True, slots=True)
class Found:
    """What a page says when it comes back: edits, items that are gone from it, and mistakes."""

    edits: tuple[Edited, ...] = ()
    missing: tuple[Record, ...] = ()
    mistakes: tuple[Mistake, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What was opened: the record, its items where they were asked for, and the page's text."""

    record: Record
    items: tuple[Record, ...] | None
    contract: ContractName
    where: str
    text: str = field(default="", compare=False)


def fields_of(kind: KindName, contract: ContractName) -> list[Field]:
    """Return the fields that a page has; records are deleted and moved by other commands."""
    return [f for f, _ in KINDS[kind].on(contract) if f.type not in ("flag", "reference")]


def page_text(page: Page) -> str:
    """Write a page. Raises UsageError for a value that is no JSON."""
    return "\n".join([*_head(page), *_lines(page.record, page.contract), *_items(page)]) + "\n"


def _head(page: Page) -> Iterator[str]:
    yield f"# A {page.record.kind} of {_one_line(page.where)}."
    yield "# Save and close to keep your changes; a file that is empty or unchanged"
    yield "# changes nothing. A line that is gone leaves its field as it is; write null"
    yield "# to empty it."
    if page.items is not None:
        yield "# An item without a key is new; one that is gone from here stays in the mirror."
        names = "Fields of an item: " + ", ".join(f.name for f in fields_of("item", page.contract))
        yield from wrap(names, 78, initial_indent="# ", subsequent_indent="#   ")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _items(page: Page) -> Iterator[str]:
    if page.items is None:
        return
    yield f"{ITEMS}:" if page.items else f"{ITEMS}: []"
    for item in page.items:
        head, *lines = _lines(item, page.contract, "  ")
        yield f"- {head.removeprefix('  ')}"
        yield from lines
        yield ""


def _lines(record: Record, contract: ContractName, indent: str = "") -> Iterator[str]:
    """Yield the lines of one record; what is seldom given and empty is left out."""
    yield from write_field(KEY, record.key, indent)
    for known in fields_of(record.kind, contract):
        stored = record.values[known.name]
        if stored is not None or record.kind == "dataset" or known.type == "json":
            yield from write_field(known.name, _value(record, known), indent)


def _value(record: Record, known: Field) -> Json:
    stored = record.values[known.name]
    if known.type != "json":
        return stored
    try:
        return parse(stored)
    except BadJson as error:
        raise UsageError(
            f"{known.name} of {record.kind} {record.key} cannot be shown: {error}",
            hint=f"set the whole field: dssync set {record.key} {known.name} VALUE",
        ) from None


def read_page(page: Page, text: str) -> Found:
    """Read a page that came back, and find what a person changed and what is wrong with it."""
    try:
        loaded = read(text)
    except BadYaml as error:
        return Found(mistakes=(Mistake(error.line, error.reason),))
    reading = _Reading(page, loaded.lines, {item.key: item for item in page.items or ()})
    reading.whole(loaded.value)
    missing = () if reading.no_list else reading.missing()
    return Found(tuple(reading.edits), tuple(missing), tuple(reading.mistakes))


def says_nothing(text: str) -> bool:
    """Tell whether a page holds nothing but comments and blank lines."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


@dataclass(slots=True)
class _Reading:
    """One page being read."""

    page: Page
    lines: Mapping[Path, int]
    items: Mapping[str, Record]
    edits: list[Edited] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    no_list: bool = True

    def whole(self, value: Json) -> None:
        """Read the page's record, then its items."""
        if not isinstance(value, dict):
            self.wrong((), "the page must hold names and values, such as name: Support triage")
            return
        given = dict(value)
        items = given.pop(ITEMS, None) if self.page.items is not None else None
        if given.pop(KEY, self.page.record.key) != self.page.record.key:
            self.wrong((KEY,), f"key never changes: it was {self.page.record.key}")
        self._edit(self.page.record, given, ())
        if items is not None:
            self._items(items)

    def _items(self, items: Json) -> None:
        if not isinstance(items, list):
            self.wrong((ITEMS,), "items must be a list; each begins with a hyphen")
            return
        self.no_list = False
        for at, item in enumerate(items):
            path: Path = (ITEMS, at)
            if not isinstance(item, dict):
                self.wrong(path, "an item must hold names and values, such as input: a question")
                continue
            self._item(dict(item), path)

    def _item(self, given: dict[str, Json], path: Path) -> None:
        key = given.pop(KEY, None)
        if key is None:
            self._new(given, path)
        elif not isinstance(key, str) or key not in self.items:
            self.wrong((*path, KEY), "no item here has this key; leave key out to make a new item")
        elif key in self.seen:
            self.wrong((*path, KEY), "this key stands twice; leave it out to make a new item")
        else:
            self.seen.add(key)
            self._edit(self.items[key], given, path)

    def _edit(self, record: Record, given: Mapping[str, Json], path: Path) -> None:
        values = self._values(record.kind, given, path)
        known = KINDS[record.kind].by_name
        changed = {n: v for n, v in values.items() if not equal(known[n], v, record.values[n])}
        self._check(record.kind, changed, path, creating=record.id is None)
        if changed:
            self.edits.append(Edited(record, changed))

    def _new(self, given: Mapping[str, Json], path: Path) -> None:
        values = self._values("item", given, path)
        self._check("item", values, path, creating=True)
        self.edits.append(Edited(None, {**values, "dataset": self.page.record.key}))

    def _values(self, kind: KindName, given: Mapping[str, Json], path: Path) -> dict[str, Stored]:
        known = {f.name: f for f in fields_of(kind, self.page.contract)}
        values: dict[str, Stored] = {}
        for name, value in given.items():
            if name not in known:
                self.wrong(
                    (*path, name), f"a {kind} has no field {name}; it has {', '.join(known)}"
                )
            elif known[name].type != "json" and not isinstance(value, str | None):
                self.wrong((*path, name), f"{name} is text; put it in quotes")
            else:
                stored = to_stored(known[name], value)
                trimmed = known[name].trimmed and isinstance(stored, str)
                values[name] = str(stored).strip() if trimmed else stored
        return values

    def _check(self, kind: KindName, values: Values, path: Path, *, creating: bool) -> None:
        for name, value in values.items():
            known = KINDS[kind].by_name[name]
            for reason in reasons(known, value, self.page.contract, creating=creating):
                self.wrong((*path, name), f"{name}: {reason}")

    def wrong(self, path: Path, reason: str) -> None:
        """Note a mistake at the line where this thing stands."""
        self.mistakes.append(Mistake(self.lines.get(path, 1), reason))

    def missing(self) -> Sequence[Record]:
        """Return the items that are gone from the page."""
        return [item for item in self.page.items or () if item.key not in self.seen]
