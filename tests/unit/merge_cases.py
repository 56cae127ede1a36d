"""The cases of the merge, read from docs/merge.md, where people read them too.

A cell names the fields that matter, as in: text `"old"`; deleted. The others are as in `BLANK`.
`text`, `json`, `time` and `dataset` stand for fields of that type; a case that uses one of them is
tried for every such field of every kind that has all it needs.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dssync.core.fields import KINDS, FieldType, KindName, Stored, Values
from dssync.core.merge import Reason

PAGE = Path(__file__).parents[2] / "docs" / "merge.md"

BLANK: Mapping[KindName, Values] = {
    "dataset": {"name": "Support", "description": None, "metadata": None, "deleted": 0},
    "item": {
        "dataset": "support",
        "input": None,
        "expected_output": None,
        "source_output": None,
        "metadata": None,
        "trace_id": None,
        "event_id": None,
        "trace_timestamp": None,
        "client_item_id": None,
        "deleted": 0,
    },
}
"""A record of each kind before anything of a case is filled in."""

TYPES: Mapping[str, FieldType] = {
    "text": "text",
    "json": "json",
    "time": "time",
    "dataset": "reference",
}
FLAGS: Mapping[str, Stored] = {"live": 0, "deleted": 1, "never said": None}
NOTHING, CONFLICT = "nothing to send", "conflict"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the page, for one choice of fields of one kind.

    `base`, `theirs` and `ours` are whole records, `sent` too where the case is of a push. `merged`
    is what ours becomes, `outcome` what a plan then says, and `fields` what it would send, or what
    is in conflict, for `reason`.
    """

    name: str
    kind: KindName
    base: Values
    sent: Values | None
    theirs: Values
    ours: Values
    merged: Values
    outcome: str
    fields: frozenset[str]
    reason: Reason


Row = Mapping[str, str]


def rows() -> Iterator[Row]:
    """Yield the rows of the page's tables of cases, each by its column."""
    head: list[str] = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| case "):
            head = cells
        elif not line.startswith("|"):
            head = []
        elif head and not line.startswith("|--"):
            yield dict(zip(head, cells, strict=True))


def cases(row: Row) -> Iterator[Case]:
    """Yield a row's case for every choice of fields."""
    used = {name for cell in row.values() for name in _sides(cell)} - {"deleted"}
    for kind in KINDS:
        for chosen in _choices(kind, sorted(used)):
            yield _case(row, kind, chosen)


def _choices(kind: KindName, used: list[str]) -> Iterator[Mapping[str, str]]:
    """Yield every way to let the names of `used` stand for fields of a kind."""
    if not used:
        yield {}
        return
    for field in KINDS[kind].fields:
        if field.type == TYPES[used[0]]:
            for others in _choices(kind, used[1:]):
                yield {used[0]: field.name, **others}


def _case(row: Row, kind: KindName, chosen: Mapping[str, str]) -> Case:
    def side(column: str) -> Values:
        given = _sides(row[column])
        return {**BLANK[kind], **{chosen.get(name, name): value for name, value in given.items()}}

    pushed = "sent" in row
    outcome, fields, reason = _outcome(row["outcome"])
    return Case(
        row["case"],
        kind,
        side("before" if pushed else "base"),
        side("sent") if pushed else None,
        side("seen" if pushed else "theirs"),
        side("ours"),
        side("becomes"),
        outcome,
        frozenset(chosen.get(name, name) for name in fields),
        reason,
    )


def _sides(cell: str) -> dict[str, Stored]:
    """Read a cell of values; a cell of words gives none."""
    found: dict[str, Stored] = {}
    for part in cell.split("; "):
        if part in FLAGS:
            found["deleted"] = FLAGS[part]
        elif given := re.fullmatch(r"(\w+) `(.*)`", part):
            found[given[1]] = _value(given[1], given[2])
    return found


def _value(name: str, text: str) -> Stored:
    if text == "null":
        return None
    if name == "json":
        return text.strip("'")
    return str(json.loads(text)) if name == "text" else text


def _outcome(cell: str) -> tuple[str, tuple[str, ...], Reason]:
    """Read an outcome such as: update text, json; or: conflict in text: reverted after push."""
    said, _, why = cell.partition(": ")
    reason = Reason(why) if why else Reason.BOTH_CHANGED
    if said == NOTHING:
        return NOTHING, (), reason
    word, _, rest = said.removeprefix("conflict in ").partition(" ")
    if said.startswith("conflict in "):
        return CONFLICT, tuple(said.removeprefix("conflict in ").split(", ")), reason
    flag = ("deleted",) if word in ("delete", "undelete") else ()
    names = rest.removeprefix("with ")
    return word, (*(names.split(", ") if names else ()), *flag), reason
