"""Show what became of one field: text by words or lines, JSON by the path of each key."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.cli.render.names import called
from dssync.cli.render.text import Line, Tone, plain, plain_json, wrapped
from dssync.cli.render.words import compared_lines, compared_words
from dssync.core.fields import Field, Names, Stored
from dssync.core.join import same
from dssync.core.pointer import MISSING, Mark, escape
from dssync.core.values import BadJson, Json, dump, parse

Part = Json | Mark
"""A value, or MISSING."""

_SIGNS: dict[str, Tone] = {"-": "remove", "+": "add", " ": "dim", "@": "dim"}


@dataclass(frozen=True, slots=True)
class Step:
    """One place where two values differ; `path` begins with the field's name."""

    path: str
    before: Part
    after: Part


def readable(field: Field, stored: Stored) -> Json:
    """Return a stored value as a JSON value; text that should be JSON and is not stays text."""
    if field.type == "flag":
        return bool(stored)
    if field.type != "json":
        return stored
    try:
        return parse(stored)
    except BadJson:
        return stored


def shown(value: Part) -> str:
    """Write a value on one line, as JSON."""
    if isinstance(value, Mark):
        return "(nothing)"
    return plain_json(dump(value))


def differences(path: str, before: Part, after: Part) -> Iterator[Step]:
    """Yield where two values differ, as deep inside as they can be told apart."""
    if isinstance(before, Mark) or isinstance(after, Mark):
        yield Step(path, before, after)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            below = f"{_root(path)}/{escape(key)}"
            yield from differences(below, before.get(key, MISSING), after.get(key, MISSING))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _elements(path, before, after)
    elif not same(before, after):
        yield Step(path, before, after)


def _root(path: str) -> str:
    """Write a path as it begins when something follows: a whole field has no slash."""
    return path if path.startswith("/") else f"/{path}"


def _elements(path: str, before: Sequence[Json], after: Sequence[Json]) -> Iterator[Step]:
    """Pair elements from both ends; what is left in the middle was changed, added or removed."""
    shorter = min(len(before), len(after))
    head = _alike(before, after, shorter)
    tail = _alike(before[::-1], after[::-1], shorter - head)
    left, right = before[head : len(before) - tail], after[head : len(after) - tail]
    for at in range(max(len(left), len(right))):
        old = left[at] if at < len(left) else MISSING
        new = right[at] if at < len(right) else MISSING
        yield from differences(f"{_root(path)}/{head + at}", old, new)


def _alike(left: Sequence[Json], right: Sequence[Json], most: int) -> int:
    return next((at for at in range(most) if not same(left[at], right[at])), most)


def written(field: Field, stored: Stored, names: Names) -> str:
    """Write a stored value on one line, for people: as JSON, a dataset by its name."""
    if field.type == "reference" and isinstance(stored, str):
        return called(stored, names)
    return shown(readable(field, stored))


def delta_lines(
    field: Field, before: Stored, after: Stored, width: int, indent: str, names: Names
) -> Iterator[Line]:
    """Draw what became of a field."""
    if field.type == "reference":
        sides = written(field, before, names), written(field, after, names)
        yield from _replaced(field.name, *sides, width, indent)
        return
    old, new = readable(field, before), readable(field, after)
    for step in differences(field.name, old, new):
        yield from step_lines(step, width, indent)


def step_lines(step: Step, width: int, indent: str) -> Iterator[Line]:
    """Draw one place where two values differ."""
    if step.before is MISSING:
        yield from _labelled(f"+ {step.path}: ", shown(step.after), width, indent, "add")
    elif step.after is MISSING:
        yield from _labelled(f"- {step.path}: ", shown(step.before), width, indent, "remove")
    else:
        yield from _changed(step, width, indent)


def _labelled(label: str, text: str, width: int, indent: str, tone: Tone) -> Iterator[Line]:
    for line in wrapped(text, width, f"{indent}{label}", f"{indent}    "):
        yield Line(line, tone)


def _changed(step: Step, width: int, indent: str) -> Iterator[Line]:
    sides = list(_replaced(step.path, shown(step.before), shown(step.after), width, indent))
    if len(sides) > 1 and isinstance(step.before, str) and isinstance(step.after, str):
        inside = list(_compared(step.before, step.after, width, f"{indent}  "))
        if inside:
            yield Line(f"{indent}{step.path}:")
            yield from inside
            return
    yield from sides


def _replaced(path: str, old: str, new: str, width: int, indent: str) -> Iterator[Line]:
    """Draw both values whole: on one line if they fit, else one below the other."""
    whole = f"{indent}{path}: {old} -> {new}"
    if len(whole) <= width:
        yield Line(whole)
        return
    yield Line(f"{indent}{path}:")
    yield from _labelled("- ", old, width, f"{indent}  ", "remove")
    yield from _labelled("+ ", new, width, f"{indent}  ", "add")


def _compared(before: str, after: str, width: int, indent: str) -> Iterator[Line]:
    if "\n" in before and "\n" in after:
        for sign, text in compared_lines(before, after):
            for line in wrapped(text, width, f"{indent}{sign} ", f"{indent}    "):
                yield Line(line, _SIGNS[sign])
        return
    marked = compared_words(before, after)
    if marked is not None:
        for line in wrapped(plain(marked), width, indent, indent):
            yield Line(line)


def value_lines(
    field: Field, stored: Stored, width: int, indent: str, names: Names
) -> Iterator[Line]:
    """Draw the whole value of a field, as a new record has it."""
    yield from _labelled(f"{field.name}: ", written(field, stored, names), width, indent, "")
