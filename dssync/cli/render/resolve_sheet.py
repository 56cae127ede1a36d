"""A conflict as a file to edit: the value to keep at the top, the three sides below it.

Everything above the line with `>8` is the value, as it stands. In an object the keys that could be
joined are joined already, and the others stand between markers, ours before theirs.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dssync.cli.render.difference import readable
from dssync.cli.render.text import UNSAFE, plain_json, wrapped
from dssync.core.fields import Field, Stored
from dssync.core.merge import Conflict
from dssync.core.pointer import MISSING
from dssync.core.resolve import Clash, Part, Woven, clashes, weave
from dssync.core.values import BadJson, Json, dump, parse

WIDTH = 80
CUT = "# ------------------------ >8 ------------------------"
MISTAKE = "# dssync: "
OURS, BETWEEN, THEIRS = "<<<<<<< ours", "=======", ">>>>>>> theirs"

_MARKERS = (OURS[:7], BETWEEN, THEIRS[:7])
_COMMA_AT_END = re.compile(r'"(?:\\.|[^"\\])*"|,(?=\s*[}\]])')


class Mistake(ValueError):
    """What was saved cannot be the value; the message says why."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One conflict of a record that people know as `record`."""

    record: str
    field: Field
    conflict: Conflict

    @property
    def name(self) -> str:
        """Name the file, so that editors know what is in it."""
        return f"{self.field.name}.{'json' if self._is_json else 'txt'}"

    def text(self) -> str:
        """Write the sheet."""
        return "\n".join([*self._value(), CUT, *self._explained(), ""])

    def read(self, saved: str) -> Stored:
        """Return the value that was saved. Raises Mistake, also for one that is empty."""
        value, cut, _ = f"\n{saved}".partition(f"\n{CUT}")
        if not cut:
            raise Mistake("the line with >8 is gone; the value stands above it")
        lines = value[1:].split("\n")
        if not self._is_json:
            return "\n".join(line for line in lines if not line.startswith(MISTAKE))
        # empty lines keep the numbers that a mistake tells
        found = _read_json(["" if line.startswith(MISTAKE) else line for line in lines])
        if self.field.type == "json":
            return None if found is None else dump(found)
        if not isinstance(found, str | None):
            raise Mistake(f"{self.field.name} is text, so it stands in quotes")
        return found

    @property
    def _is_json(self) -> bool:
        """Tell whether the value is written as JSON: text that an editor may garble is, too."""
        ours = str(self.conflict.ours or "")
        risky = UNSAFE.search(ours.replace("\n", "").replace("\t", ""))
        confusing = any(line.startswith((CUT, MISTAKE)) for line in ours.split("\n"))
        return self.field.type == "json" or bool(risky) or confusing

    def _value(self) -> Iterator[str]:
        if not self._is_json:
            yield from str(self.conflict.ours or "").split("\n")
            return
        woven = weave(self.field, self.conflict)
        if isinstance(woven, Clash):
            woven = readable(self.field, self.conflict.ours)
        yield from _drawn(woven)

    def _explained(self) -> Iterator[str]:
        yield from _noted(
            f"Above stands the value to keep: {self.field.name} of {self.record},"
            f" {self.conflict.reason.value}."
        )
        yield from _noted("Nothing is decided when it stays as it is, or when it is empty.")
        if any(path for path, _ in clashes(weave(self.field, self.conflict))):
            yield from _noted("Keep one side between the markers, and remove the markers.")
        for name in ("base", "theirs", "ours"):
            yield "#"
            yield f"# {name}:"
            yield from (f"#   {line}" for line in self._side(getattr(self.conflict, name)))

    def _side(self, stored: Stored) -> Sequence[str]:
        value = readable(self.field, stored)
        if isinstance(value, str) and not self._is_json:
            return value.split("\n")
        return _pretty(value)


def with_mistake(saved: str, mistake: str) -> str:
    """Return a sheet to open again, with what was wrong at its top."""
    kept = [line for line in saved.split("\n") if not line.startswith(MISTAKE)]
    return "\n".join([f"{MISTAKE}{line}" for line in mistake.split("\n")] + kept)


def is_empty(saved: str) -> bool:
    """Tell whether nothing stands above the cut."""
    lines = f"\n{saved}".partition(f"\n{CUT}")[0].split("\n")
    return not any(line.strip() for line in lines if not line.startswith(MISTAKE))


def _noted(text: str) -> Iterator[str]:
    return (line.rstrip() for line in wrapped(plain_json(text), WIDTH, "# ", "# "))


def _pretty(value: Json) -> list[str]:
    return plain_json(json.dumps(value, ensure_ascii=False, indent=2)).split("\n")


def _drawn(woven: Woven, lead: str = "", tail: str = "", pad: str = "") -> Iterator[str]:
    """Write a value over several lines, with markers around what clashes inside it."""
    if isinstance(woven, Mapping) and any(clashes(woven)):
        yield f"{pad}{lead}{{"
        for at, (key, value) in enumerate(woven.items(), 1):
            name = f"{plain_json(json.dumps(key, ensure_ascii=False))}: "
            comma = "," if at < len(woven) else ""
            if isinstance(value, Clash):
                yield from _marked(value, name, comma, f"{pad}  ")
            else:
                yield from _drawn(value, name, comma, f"{pad}  ")
        yield f"{pad}}}{tail}"
        return
    first, *more = _pretty(woven)  # type: ignore[arg-type]
    lines = [f"{lead}{first}", *more]
    yield from (f"{pad}{line}" for line in lines[:-1])
    yield f"{pad}{lines[-1]}{tail}"


def _marked(clash: Clash, lead: str, tail: str, pad: str) -> Iterator[str]:
    yield OURS
    yield from _one_side(clash.ours, lead, tail, pad)
    yield BETWEEN
    yield from _one_side(clash.theirs, lead, tail, pad)
    yield THEIRS


def _one_side(value: Part, lead: str, tail: str, pad: str) -> Iterator[str]:
    if value is not MISSING:
        yield from _drawn(value, lead, tail, pad)  # type: ignore[arg-type]


def _read_json(lines: Sequence[str]) -> Json:
    left = [str(at) for at, line in enumerate(lines, 1) if line.startswith(_MARKERS)]
    if left:
        raise Mistake(f"conflict markers are left in line {', '.join(left)}")
    # whoever keeps one side may leave a comma before a bracket
    text = _COMMA_AT_END.sub(lambda found: found[0].removeprefix(","), "\n".join(lines))
    try:
        value = parse(text)
        json.loads(text, object_pairs_hook=_once)
    except BadJson as error:
        raise Mistake(str(error)) from None
    return value


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found:
            raise Mistake(f"the key {key!r} stands twice in one object")
        found[key] = value
    return found
