"""Copies of a mirror by their names: which are whole, which are left over, which to prune.

A copy is two files in one place:

    dssync-3f9a1c2e-20261124T020301Z.db.zst.age     the mirror (`.db.zst` where it is not encrypted)
    dssync-3f9a1c2e-20261124T020301Z.json           its manifest

The first part names the mirror, so that several may share a place. The manifest is written last and
removed first: a copy without one is none.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

PLAIN, SEALED, MANIFEST = ".db.zst", ".db.zst.age", ".json"
PARTIAL = ".partial"
"""The end of what is still being written; a folder shows it."""

STALE = timedelta(hours=6)
"""How old what is no copy must be before it is removed: another machine may be writing it."""

SLACK = timedelta(minutes=5)
"""So much may the clocks of two machines differ."""

_NAME = re.compile(r"dssync-([0-9a-f]{8})-([0-9]{8}T[0-9]{6}Z)(?:-([2-9]|[1-9][0-9]))?")
_FORMAT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, order=True)
class CopyName:
    """What a copy is called: when it was made, of which mirror; the order is that of time.

    `number` tells apart what was made in the same second.
    """

    moment: datetime
    number: int
    mirror: str

    @classmethod
    def new(cls, mirror: str, now: datetime, taken: Iterable["CopyName"]) -> Self:
        """Return a name that is not taken."""
        moment = now.astimezone(UTC).replace(microsecond=0)
        used = [name.number for name in taken if (name.moment, name.mirror) == (moment, mirror)]
        return cls(moment, max(used, default=0) + 1, mirror)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a name, with the end of one of its files or without; None for any other."""
        found = _NAME.fullmatch(_stem(text))
        if found is None:
            return None
        try:
            moment = datetime.strptime(found[2], _FORMAT).replace(tzinfo=UTC)
        except ValueError:  # the thirtieth of February, for one
            return None
        return cls(moment, int(found[3] or 1), found[1])

    def __str__(self) -> str:
        again = f"-{self.number}" if self.number > 1 else ""
        return f"dssync-{self.mirror}-{self.moment.strftime(_FORMAT)}{again}"

    @property
    def manifest(self) -> str:
        """Return the name of its manifest."""
        return f"{self}{MANIFEST}"

    def data(self, *, encrypted: bool) -> str:
        """Return the name of the file that holds the mirror."""
        return f"{self}{SEALED if encrypted else PLAIN}"


def _stem(text: str) -> str:
    text = text.removesuffix(PARTIAL)
    for end in (SEALED, PLAIN, MANIFEST):
        if text.endswith(end):
            return text.removesuffix(end)
    return text


def whole(files: Iterable[str]) -> list[CopyName]:
    """Return the copies that these files are, oldest first."""
    there = set(files)
    return [
        name
        for name in listed(there)
        if name.data(encrypted=True) in there or name.data(encrypted=False) in there
    ]


def listed(files: Iterable[str]) -> list[CopyName]:
    """Return the copies that have a manifest, oldest first, also where the rest has gone."""
    names = (CopyName.parse(file) for file in files if file.endswith(MANIFEST))
    return sorted(name for name in names if name)


def newest(copies: Sequence[CopyName], text: str | None) -> CopyName | None:
    """Return the newest of these, or of the one mirror that `text` names: `dssync-3f9a1c2e`."""
    named = [name for name in copies if text in (None, f"dssync-{name.mirror}")]
    return max(named, default=None)


def leftovers(files: Sequence[str], mirror: str, now: datetime) -> list[str]:
    """Return the files of this mirror that belong to no copy, and are too old to become one.

    Those of runs that were killed: nobody would ever remove them, and none is a copy.
    """
    good = set(whole(files))
    return [
        file
        for file in sorted(files)
        if (name := CopyName.parse(file))
        and name.mirror == mirror
        and (name not in good or file.endswith(PARTIAL))
        and name.moment <= now - STALE
    ]


def ahead(copies: Iterable[CopyName], now: datetime) -> list[CopyName]:
    """Return the copies from the future, oldest first: a clock was wrong when they were made."""
    return sorted(name for name in copies if name.moment > now + SLACK)


def surplus(copies: Iterable[CopyName], passed: CopyName, keep: int) -> list[CopyName]:
    """Return the copies to prune, oldest first: all but the `keep` newest of this one's mirror.

    The one that `passed` stays whatever the clock said when the others were made.
    """
    own = sorted(name for name in copies if name.mirror == passed.mirror and name != passed)
    return own[: len(own) - (keep - 1)] if len(own) >= keep else []
