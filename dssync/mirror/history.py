"""Where the past goes: a row of theirs that is replaced moves to history, sealed.

A row's `digest` tells what the server sent; a history row's `seal` is over all of it, with the run
that ended it, and is made by the SQL function `digest_of`, which every connection that writes has.
"""

from collections.abc import Iterator, Mapping, Sequence

from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.snapshot import Standing
from dssync.core.values import digest_of
from dssync.mirror.columns import COLUMNS
from dssync.mirror.transaction import Transaction

BROKEN = b"\0"
"""Stands before the digest of a row that no longer says what the server sent (`mirror.seal`)."""


def broken(digest: object) -> bool:
    """Tell whether a row's digest is marked so."""
    return isinstance(digest, bytes) and len(digest) == _MARKED


_WHOLE = 16
_MARKED = _WHOLE + len(BROKEN)

_BELIEVED = _WHOLE - 1

_UNSEALED = ("key", "dataset", "digest")
"""What may be renamed under a row of pending, and what holds the seal."""


def believed(kind: KindName, columns: Mapping[str, Stored | bytes]) -> bytes:
    """Return what stands for the digest of a row that was sent and is not read yet: its own seal.

    It is shorter than what is read, so that the next read always differs.
    """
    return row_seal(kind, columns)[:_BELIEVED]


def is_believed(digest: object) -> bool:
    """Tell whether a row's digest says that the row was sent, and is not read yet."""
    return isinstance(digest, bytes) and len(digest) in (0, _BELIEVED)


def row_seal(kind: KindName, columns: Mapping[str, Stored | bytes], *more: Stored | bytes) -> bytes:
    """Return the digest of a row's own columns, but for those that a renaming may change."""
    return digest_of(*(columns[n] for n in COLUMNS[kind] if n not in _UNSEALED), *more)


def seal_base(tx: Transaction, kind: KindName, key: str) -> None:
    """Seal the base of a touched record, whose fields moved away from what its digest told."""
    names = ", ".join(name for name in COLUMNS[kind] if name not in _UNSEALED)
    tx.exec_driver_sql(
        f"UPDATE {KINDS[kind].table}_pending SET digest = digest_of({names}, pushed_run, reverted)"
        " WHERE key = ? AND side = 'base'",
        (key,),
    )


TOLD = f"length(digest) <= {_WHOLE}"
"""The SQL condition for rows that the server told, or was told: no stand-in, and none broken."""


def keep(
    tx: Transaction, kind: KindName, source: str, arguments: Sequence[Stored], run: int
) -> None:
    """Copy rows to history as they were until `run`; `source` is a table with its condition."""
    names = ", ".join(COLUMNS[kind])
    tx.exec_driver_sql(
        f"INSERT INTO {KINDS[kind].table}_history ({names}, until_run, seal)"
        f" SELECT {names}, ?, digest_of({names}, ?) FROM {source}",
        (run, run, *arguments),
    )


def rename(tx: Transaction, kind: KindName, column: str, old: str, new: str) -> None:
    """Put one key in the place of another in a column of history; what was sealed stays so."""
    names = ", ".join(COLUMNS[kind])
    renamed = ", ".join(":new" if name == column else name for name in COLUMNS[kind])
    tx.exec_driver_sql(
        f"UPDATE {KINDS[kind].table}_history SET {column} = :new, seal = CASE"
        f" WHEN seal = digest_of({names}, until_run) THEN digest_of({renamed}, until_run)"
        f" ELSE seal END WHERE {column} = :old",
        {"old": old, "new": new},
    )


def standing(
    tx: Transaction, remote: str, condition: str = "1", arguments: Sequence[Stored] = ()
) -> Iterator[Standing]:
    """Yield the states of a remote, past and present, for an SQL condition."""
    for kind in KINDS:
        rows = tx.exec_driver_sql(
            # numbers, whatever damage makes of them: what is no number is in no proof as it was
            "SELECT ?, CAST(run AS INTEGER), CAST(until_run AS INTEGER), "
            f" deleted IS NOT 1 AND absent_since IS NULL, {_proof(kind)}"
            f" FROM {kind}_states WHERE remote = ? AND {condition}",
            (kind, remote, *arguments),
        )
        yield from map(Standing._make, rows)


def _proof(kind: KindName) -> str:
    """Write the text by which a state is proved: what it says, whose it is, and since when.

    A record is known by its id here: which key it has is this mirror's own affair.
    What the server never showed as it stands, such as the answer to a push, has no digest; then
    its columns themselves are in the text.
    """
    said = " || ','".join(f" || quote({name})" for name in (*KINDS[kind].names, "rest"))
    return (
        f"run || '|' || CASE length(digest) WHEN {2 * _WHOLE} THEN digest"
        f" WHEN {2 * _MARKED} THEN substr(digest, 1 + {2 * len(BROKEN)}) ELSE ''{said} END"
        " || '|' || coalesce(deleted, 0) || '|' || coalesce(absent_since, '')"
        f" || '|{kind}|' || id"
    )
