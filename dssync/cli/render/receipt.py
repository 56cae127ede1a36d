"""A receipt: what a run did."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from dssync.cli.render.ages import moment
from dssync.cli.render.difference import delta_lines, readable, value_lines
from dssync.cli.render.error import sentence_lines
from dssync.cli.render.names import title
from dssync.cli.render.text import Line, Tone, counted, sentence
from dssync.cli.render.view import Document
from dssync.core.fields import KINDS
from dssync.core.receipt import (
    OUTCOMES,
    Entry,
    Outcome,
    Receipt,
    ScanCount,
    Trouble,
    warning,
)

_TONES: dict[Outcome, Tone] = {
    "applied": "add",
    "skipped": "dim",
    "conflicted": "conflict",
    "failed": "error",
    "in doubt": "error",
    "unreadable": "error",
}


_FIELDS = " " * 4


def receipt_json(receipt: Receipt) -> Document:
    """Return a receipt for programs."""
    return {
        "command": receipt.command,
        "run": receipt.run,
        "exit_code": receipt.exit_code,
        "planned": receipt.planned,
        "counts": {outcome.replace(" ", "_"): receipt.count(outcome) for outcome in _TONES},
        "entries": [_entry_json(entry) for entry in receipt.entries],
        "scans": [_scan_json(scan) for scan in receipt.scans],
        "troubles": [
            {
                "remote": trouble.remote or None,
                "code": trouble.code,
                "message": trouble.message,
                "hint": trouble.hint,
                "exit_code": trouble.exit_code,
            }
            for trouble in receipt.troubles
        ],
        "notes": list(receipt.notes),
        "warnings": list(receipt.warnings),
    }


def _entry_json(entry: Entry) -> Document:
    fields = KINDS[entry.kind].by_name
    return {
        "remote": entry.remote,
        "kind": entry.kind,
        "key": entry.key,
        "label": entry.label,
        "dataset": entry.where or None,
        "action": entry.action,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "status": entry.status,
        "updated_at": entry.updated_at,
        "attempts": entry.attempts,
        "fields": [
            {
                "field": delta.field,
                "before": readable(fields[delta.field], delta.before),
                "after": readable(fields[delta.field], delta.after),
            }
            for delta in entry.deltas
        ],
    }


def _scan_json(scan: ScanCount) -> Document:
    return {
        "remote": scan.remote,
        "kind": scan.kind,
        "outcome": scan.outcome,
        "listed": scan.listed,
        "new": scan.new,
        "changed": scan.changed,
        "unchanged": scan.unchanged,
        "absent": scan.absent,
        "pages": scan.pages,
        "reason": scan.reason,
    }


ALIKE = 3
"""So many records in a row with one reason are named; `dssync log RUN` names all of them."""

NOTHING = Receipt("", None)
"""A receipt that tells of nothing."""


def receipt_lines(
    receipt: Receipt, width: int, *, everything: bool = False, told: Receipt = NOTHING
) -> Iterator[Line]:
    """Draw what happened, the records that need a look, and what went wrong.

    With `everything`, all the records that were applied are listed as well; without, of those that
    share a reason only the first few. What `told` holds was shown before, and is not shown again.
    """
    yield from _scan_lines(receipt, width)
    known = set(told.entries)
    fresh = [entry for entry in receipt.entries if entry not in known]
    if everything:
        for entry in fresh:
            yield from _entry_lines(entry, width)
    else:
        yield from _worth_a_look(fresh, width)
    yield from _note_lines(receipt, width)
    yield from trouble_lines((t for t in receipt.troubles if t not in told.troubles), width)


def _worth_a_look(entries: Iterable[Entry], width: int) -> Iterator[Line]:
    shown = [entry for entry in entries if entry.reason or entry.outcome != "applied"]
    for (remote, outcome, _), group in groupby(shown, lambda e: (e.remote, e.outcome, e.reason)):
        alike = list(group)
        for entry in alike[:ALIKE]:
            yield from _entry_lines(entry, width)
        if len(alike) > ALIKE:
            more = counted(len(alike) - ALIKE, "more record")
            said = f"{outcome}: {more} of {remote}, for the same reason"
            yield from sentence(said, width, tone=_TONES[outcome])


def _scan_lines(receipt: Receipt, width: int) -> Iterator[Line]:
    for scan in receipt.scans:
        gone = f", {scan.absent:,} gone" if scan.absent else ""
        how = "" if scan.outcome == "complete" else f" ({scan.outcome})"
        counts = f"{counted(scan.listed, scan.kind)} listed, {scan.new:,} new"
        yield from sentence(f"{scan.remote}: {counts}, {scan.changed:,} changed{gone}{how}", width)


def _entry_lines(entry: Entry, width: int) -> Iterator[Line]:
    name = title(entry.kind, entry.label, entry.key)
    verb = "" if entry.action == "read" else f"{entry.action} "
    heading = f"{entry.outcome}: {verb}{name}, {entry.remote}"
    yield from sentence(heading, width, tone=_TONES[entry.outcome])
    if entry.reason:
        yield from sentence(entry.reason, width, "  ")


def _note_lines(receipt: Receipt, width: int) -> Iterator[Line]:
    for note in receipt.notes:
        yield from sentence(note, width)
    for each in receipt.warnings:
        yield from sentence(warning(each), width, tone="error")


def trouble_lines(troubles: Iterable[Trouble], width: int) -> Iterator[Line]:
    """Draw what went wrong, remote by remote."""
    for trouble in troubles:
        whose = f"{trouble.remote}: " if trouble.remote else ""
        yield from sentence_lines(f"{whose}{trouble.message}", trouble.hint, width)


def whole_lines(receipt: Receipt, width: int) -> Iterator[Line]:
    """Draw a receipt with every row of it, field by field, and its balance."""
    yield from _scan_lines(receipt, width)
    for entry in receipt.entries:
        yield from _entry_lines(entry, width)
        yield from _answer_lines(entry)
        for delta in entry.deltas:
            field = KINDS[entry.kind].by_name[delta.field]
            if entry.action == "create":
                yield from value_lines(field, delta.after, width, _FIELDS, entry.names)
            elif field.type != "flag":
                sides = delta.before, delta.after
                yield from delta_lines(field, *sides, width, _FIELDS, entry.names)
    yield from _note_lines(receipt, width)
    yield from trouble_lines(receipt.troubles, width)
    if receipt.planned:
        yield from sentence(f"{_balance(receipt)}.", width)


def _answer_lines(entry: Entry) -> Iterator[Line]:
    """Say how often it was sent, what the server answered, and what time it gave the record."""
    facts = [
        counted(entry.attempts, "request") if entry.attempts else "",
        f"answered {entry.status}" if entry.status else "",
        f"updated {moment(entry.updated_at)}" if entry.updated_at else "",
    ]
    if any(facts):
        yield Line(f"  {', '.join(filter(None, facts))}", "dim")


def _balance(receipt: Receipt) -> str:
    parts = " + ".join(
        f"{sum(e.outcome == outcome and e.planned for e in receipt.entries):,} {outcome}"
        for outcome in OUTCOMES
        if outcome != "unreadable"
    )
    return f"{receipt.planned:,} planned = {parts}"


def last_line(receipt: Receipt) -> Line:
    """Say what came of a run in one line, with its id."""
    counts = ", ".join(_counts(receipt))
    run = "no run" if receipt.run is None else f"run {receipt.run}"
    return Line(f"{run}: {counts or ('done' if receipt.notes else 'nothing to do')}", "head")


def _counts(receipt: Receipt) -> Iterator[str]:
    if receipt.scans:
        yield f"{sum(scan.listed for scan in receipt.scans):,} listed"
        for word in ("new", "changed"):
            yield f"{sum(getattr(scan, word) for scan in receipt.scans):,} {word}"
        yield f"{sum(scan.absent for scan in receipt.scans):,} gone"
    if receipt.planned:
        yield f"{receipt.planned:,} planned"
    for outcome in _TONES:
        if number := receipt.count(outcome):
            yield f"{number:,} {outcome}"
    if receipt.troubles:
        yield counted(len(receipt.troubles), "problem")
