"""Holes: rows of a list that the server cannot show, remembered so nobody searches them again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dssync.clock import stamp
from dssync.core.fields import KindName
from dssync.core.records import Position
from dssync.core.scan import Hole, KnownHole
from dssync.mirror.transaction import Transaction

RECHECK = timedelta(hours=1)
"""A hole asked for longer ago than this is asked for once more: somebody may have repaired it."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One hole; `key` names the record where the mirror knew it before it became unreadable."""

    remote: str
    kind: KindName
    hole: Hole
    key: str | None
    first_run: int
    checked_at: str
    acknowledged_at: str | None

    @property
    def label(self) -> str:
        """Say which record it is, as well as anybody can."""
        return self.key or f"number {self.hole.offset + 1} of the list"


def known(tx: Transaction, remotes: Sequence[str] = ()) -> list[Unreadable]:
    """Return the holes of these remotes, of all when none is named."""
    condition, arguments = _among(remotes)
    rows = tx.exec_driver_sql(
        f"SELECT {', '.join(_COLUMNS)} FROM unreadable WHERE {condition}"
        " ORDER BY remote, kind, position",
        arguments,
    )
    return [
        Unreadable(
            remote,
            kind,
            Hole(position, _position(before_at, before_id), _position(after_at, after_id)),
            *others,
        )
        for remote, kind, position, before_id, before_at, after_id, after_at, *others in rows
    ]


_COLUMNS = (
    *("remote", "kind", "position"),
    *("before_id", "before_created_at", "after_id", "after_created_at"),
    *("key", "first_run", "checked_at", "acknowledged_at"),
)


def _among(remotes: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    if not remotes:
        return "1", ()
    return "remote IN (SELECT value FROM json_each(?))", (json.dumps(list(remotes)),)


def hints(tx: Transaction, remote: str, kind: KindName, now: datetime) -> list[KnownHole]:
    """Return what the next walk of a list should know of its holes."""
    due = stamp(now - RECHECK)
    return [
        KnownHole(each.hole, recheck=each.checked_at < due)
        for each in known(tx, [remote])
        if each.kind == kind
    ]


def believed(tx: Transaction, remote: str, kind: KindName, now: datetime) -> frozenset[str]:
    """Return the keys of records found unreadable so lately that nobody asks again."""
    due = stamp(now - RECHECK)
    return frozenset(
        each.key
        for each in known(tx, [remote])
        if each.kind == kind and each.key and each.checked_at >= due
    )


def keep(
    tx: Transaction,
    remote: str,
    kind: KindName,
    found: Sequence[tuple[Hole, str | None]],
    run: int,
    now: datetime,
) -> list[Unreadable]:
    """Replace the holes of a list by what a walk found, each with its record's key if known.

    A hole between the same neighbours is the old one: it keeps its first run, its key, and that
    somebody has acknowledged it.
    """
    before = [each for each in known(tx, [remote]) if each.kind == kind]
    tx.exec_driver_sql("DELETE FROM unreadable WHERE remote = ? AND kind = ?", (remote, kind))
    kept: list[Unreadable] = []
    for hole, key in found:
        old = next((each for each in before if _place(each.hole) == _place(hole)), None)
        if old is not None:
            before.remove(old)  # adjacent holes have the same neighbours; each is taken once
        new = Unreadable(remote, kind, hole, key, run, stamp(now), None)
        kept.append(_continued(old, new, stamp(now - RECHECK)) if old else new)
    if kept:
        tx.exec_driver_sql(
            f"INSERT INTO unreadable ({', '.join(_COLUMNS)})"
            f" VALUES ({', '.join('?' * len(_COLUMNS))})",
            [_row(each) for each in kept],
        )
    return kept


def _continued(old: Unreadable, new: Unreadable, due: str) -> Unreadable:
    checked = new.checked_at if old.checked_at < due else old.checked_at
    return replace(old, hole=new.hole, key=new.key or old.key, checked_at=checked)


def acknowledge(tx: Transaction, remotes: Sequence[str], now: datetime) -> int:
    """Note that somebody knows of these remotes' holes; return how many were news."""
    condition, arguments = _among(remotes)
    return tx.exec_driver_sql(
        f"UPDATE unreadable SET acknowledged_at = ? WHERE acknowledged_at IS NULL AND {condition}",
        (stamp(now), *arguments),
    ).rowcount


def forget(tx: Transaction, each: Unreadable) -> None:
    """Drop a hole that was repaired."""
    tx.exec_driver_sql(
        "DELETE FROM unreadable WHERE remote = ? AND kind = ? AND position = ?",
        (each.remote, each.kind, each.hole.offset),
    )


def _place(hole: Hole) -> tuple[Position | None, Position | None]:
    return hole.before, hole.after


def _position(created_at: str | None, id: str | None) -> Position | None:
    return Position.of(created_at, id) if created_at and id else None


def _row(each: Unreadable) -> tuple[object, ...]:
    before, after = each.hole.before, each.hole.after
    return (
        *(each.remote, each.kind, each.hole.offset),
        *((before.id, before.created_at) if before else (None, None)),
        *((after.id, after.created_at) if after else (None, None)),
        *(each.key, each.first_run, each.checked_at, each.acknowledged_at),
    )
