"""A plan as Markdown that reads well as a comment on a pull request.

Everything that people or servers wrote stands in code spans and fences that it cannot leave, or as
escaped HTML: no link, mention, image or table of theirs comes to life.
"""

import html
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from dssync.cli.render.difference import Step, differences, readable, shown, written
from dssync.cli.render.names import short
from dssync.cli.render.plan import SIGNS, sides_of, summary
from dssync.cli.render.text import counted, plain
from dssync.cli.render.words import compared_lines, word_hunks
from dssync.core.fields import KINDS
from dssync.core.plan import Change, Conflicted, Plan
from dssync.core.pointer import MISSING

MOST = 60_000
"""Characters of a whole plan; GitHub takes 65,536 in a comment."""

LONG = 12
"""A record of more lines is folded."""

MANY = 10
"""A dataset with more records has all of them folded."""

LONGEST_LINE, MOST_LINES = 400, 40
"""What is shown of one record; the rest is counted."""

Record = Change | Conflicted


def plan_markdown(plan: Plan, heading: str = "") -> Iterator[str]:
    """Yield the lines of a plan; what does not fit is counted in a sentence.

    With a `heading` of its own it is none that could be pushed, but what became of records.
    """
    yield f"## {heading or 'dssync plan'}: {summary(plan)}"
    room, left_out = MOST, list[Record]()
    for section in _sections(plan):
        place = f"### {code(section[0].remote)} / {code(_dataset(section[0]))}"
        for at, record in enumerate(section):
            block = list(_block(record, folded=len(section) > MANY))
            lines = [*(["", place] if at == 0 else []), "", *block]
            room -= sum(len(line) + 1 for line in lines)
            if room < 0 or left_out:
                left_out.append(record)
            else:
                yield from lines
    yield from _foot(plan, left_out, sendable=not heading)


def _sections(plan: Plan) -> Iterator[list[Record]]:
    records: list[Record] = [*plan.changes, *plan.conflicts]
    records.sort(key=lambda record: (record.remote, _dataset(record)))
    for _, group in groupby(records, lambda record: (record.remote, _dataset(record))):
        yield list(group)


def _dataset(record: Record) -> str:
    return record.where or record.label


def _foot(plan: Plan, left_out: Sequence[Record], *, sendable: bool) -> Iterator[str]:
    if left_out:
        changes = tuple(record for record in left_out if isinstance(record, Change))
        conflicts = tuple(record for record in left_out if isinstance(record, Conflicted))
        yield ""
        said = f"**Not shown, for want of room: {summary(Plan(changes, conflicts))}.**"
        more = " They belong to the plan all the same; `dssync diff` shows everything."
        yield said + more if sendable else said
    if plan.changes and sendable:
        yield ""
        yield f"Digest `{plan.digest}`. Send exactly this: `dssync push --checksum {plan.digest}`"


def _block(record: Record, *, folded: bool) -> Iterator[str]:
    """Yield one record: what happens to it, and its fields in a fence."""
    if isinstance(record, Conflicted):
        sign, what, language = "!", "conflict", "text"
        lines = [*_conflict_lines(record)]
    else:
        (sign, _), what, language = SIGNS[record.action], record.action, "diff"
        lines = [*_change_lines(record)]
    lines = [*map(_clipped, lines[:MOST_LINES]), *_more(len(lines))]
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    fenced = [f"{fence}{language}", *lines, fence] if lines else []
    if fenced and (folded or len(lines) > LONG):
        name = _name_in_html(record)
        yield f"<details><summary><b>{sign} {what}</b> {name}</summary>"
        yield from ("", *fenced, "", "</details>")
    else:
        yield f"**{sign} {what}** {_name(record)}"
        yield from fenced


def _more(count: int) -> list[str]:
    return [f"  … {counted(count - MOST_LINES, 'more line')}"] if count > MOST_LINES else []


def _clipped(line: str) -> str:
    left = len(line) - LONGEST_LINE
    return line if left <= 0 else f"{line[:LONGEST_LINE]}… ({counted(left, 'more character')})"


def _change_lines(change: Change) -> Iterator[str]:
    for delta in change.deltas:
        field = KINDS[change.kind].by_name[delta.field]
        before, after = (written(field, s, change.names) for s in (delta.before, delta.after))
        if change.action == "create":
            yield f"+{field.name}: {after}"
        elif field.type == "reference":
            yield from (f"@@ {field.name} @@", f"-{before}", f"+{after}")
        elif field.type != "flag":
            sides = (readable(field, stored) for stored in (delta.before, delta.after))
            for step in differences(field.name, *sides):
                yield from _step_lines(step)


def _step_lines(step: Step) -> Iterator[str]:
    yield f"@@ {plain(step.path)} @@"
    if isinstance(step.before, str) and isinstance(step.after, str):
        inside = [*_inside(step.before, step.after)]
        if inside:
            yield from inside
            return
    if step.before is not MISSING:
        yield f"-{shown(step.before)}"
    if step.after is not MISSING:
        yield f"+{shown(step.after)}"


def _inside(before: str, after: str) -> Iterator[str]:
    """Yield what changed inside a text: its lines, or the words around each change."""
    if "\n" in before and "\n" in after:
        for sign, text in compared_lines(before, after):
            yield " …" if sign == "@" else f"{sign}{plain(text)}"
        return
    for old, new in word_hunks(before, after) or ():
        yield f"-{plain(old)}"
        yield f"+{plain(new)}"


def _conflict_lines(conflicted: Conflicted) -> Iterator[str]:
    fields = KINDS[conflicted.kind].by_name
    for conflict in conflicted.conflicts:
        yield f"{conflict.field}: {conflict.reason.value}"
        for side, stored in sides_of(conflict):
            yield f"  {side:<8}{written(fields[conflict.field], stored, conflicted.names)}"


def _name(record: Record) -> str:
    if not record.label or record.label == record.key:
        return f"{record.kind} {code(record.key)}"
    return f"{record.kind} {code(record.label)} ({code(short(record.key))})"


def _name_in_html(record: Record) -> str:
    """Name a record where Markdown is not read, as between the tags of a summary."""
    if not record.label or record.label == record.key:
        return f"{record.kind} {_html_code(record.key)}"
    return f"{record.kind} {_html_code(record.label)} ({_html_code(short(record.key))})"


def _html_code(text: str) -> str:
    return f"<code>{html.escape(_clipped(plain(text)))}</code>"


def code(text: str) -> str:
    """Write text as a code span that it cannot leave.

    >>> code("a `tick`")
    '`` a `tick` ``'
    """
    inner = _clipped(plain(text)) or " "
    ticks = "`" * (_longest_run(inner) + 1)
    pad = " " if inner.startswith(("`", " ")) or inner.endswith(("`", " ")) else ""
    return f"{ticks}{pad}{inner}{pad}{ticks}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
