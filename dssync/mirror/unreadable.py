"""Holes: rows of a list that the server cannot show, remembered so nobody searches them again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from dssync.clock import stamp
from dssync.core.fields import KindName
from dssync.core.records import Position
from dssync.core.scan import Hole, KnownHole
from dssync.mirror import schema

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


def known(tx: Connection, remotes: Sequence[str] = ()) -> list[Unreadable]:
    """Return the holes of these remotes, of all when none is named."""
    table = schema.unreadable
    query = select(table).order_by(table.c.remote, table.c.kind, table.c.position)
    if remotes:
        query = query.where(table.c.remote.in_(remotes))
    return [
        Unreadable(
            remote=row["remote"],
            kind=row["kind"],
            hole=Hole(
                row["position"],
                _position(row["before_created_at"], row["before_id"]),
                _position(row["after_created_at"], row["after_id"]),
            ),
            key=row["key"],
            first_run=row["first_run"],
            checked_at=row["checked_at"],
            acknowledged_at=row["acknowledged_at"],
        )
        for row in tx.execute(query).mappings()
    ]


def hints(tx: Connection, remote: str, kind: KindName, now: datetime) -> list[KnownHole]:
    """Return what the next walk of a list should know of its holes."""
    due = stamp(now - RECHECK)
    return [
        KnownHole(each.hole, recheck=each.checked_at < due)
        for each in known(tx, [remote])
        if each.kind == kind
    ]


def believed(tx: Connection, remote: str, kind: KindName, now: datetime) -> frozenset[str]:
    """Return the keys of records found unreadable so lately that nobody asks again."""
    due = stamp(now - RECHECK)
    return frozenset(
        each.key
        for each in known(tx, [remote])
        if each.kind == kind and each.key and each.checked_at >= due
    )


def keep(
    tx: Connection,
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
    table = schema.unreadable
    before = [each for each in known(tx, [remote]) if each.kind == kind]
    tx.execute(delete(table).where(table.c.remote == remote, table.c.kind == kind))
    kept: list[Unreadable] = []
    for hole, key in found:
        old = next((each for each in before if _place(each.hole) == _place(hole)), None)
        if old is not None:
            before.remove(old)  # adjacent holes have the same neighbours; each is taken once
        new = Unreadable(remote, kind, hole, key, run, stamp(now), None)
        kept.append(_continued(old, new, stamp(now - RECHECK)) if old else new)
    if kept:
        tx.execute(insert(table), [_row(each) for each in kept])
    return kept


def _continued(old: Unreadable, new: Unreadable, due: str) -> Unreadable:
    checked = new.checked_at if old.checked_at < due else old.checked_at
    return replace(old, hole=new.hole, key=new.key or old.key, checked_at=checked)


def acknowledge(tx: Connection, remotes: Sequence[str], now: datetime) -> int:
    """Note that somebody knows of these remotes' holes; return how many were news."""
    table = schema.unreadable
    query = update(table).where(table.c.acknowledged_at.is_(None))
    if remotes:
        query = query.where(table.c.remote.in_(remotes))
    return int(tx.execute(query.values(acknowledged_at=stamp(now))).rowcount)


def forget(tx: Connection, each: Unreadable) -> None:
    """Drop a hole that was repaired."""
    table = schema.unreadable
    tx.execute(
        delete(table).where(
            table.c.remote == each.remote,
            table.c.kind == each.kind,
            table.c.position == each.hole.offset,
        )
    )


def _place(hole: Hole) -> tuple[Position | None, Position | None]:
    return hole.before, hole.after


def _position(created_at: str | None, id: str | None) -> Position | None:
    return Position.of(created_at, id) if created_at and id else None


def _row(each: Unreadable) -> dict[str, object]:
    before, after = each.hole.before, each.hole.after
    return {
        "remote": each.remote,
        "kind": each.kind,
        "position": each.hole.offset,
        "key": each.key,
        "before_id": before.id if before else None,
        "before_created_at": before.created_at if before else None,
        "after_id": after.id if after else None,
        "after_created_at": after.created_at if after else None,
        "first_run": each.first_run,
        "checked_at": each.checked_at,
        "acknowledged_at": each.acknowledged_at,
    }
