"""What a remote held at a snapshot, record by record."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.core.fields import KINDS, KindName, Values
from dssync.core.values import digest_of
from dssync.mirror.columns import COLUMNS
from dssync.mirror.history import TOLD, broken
from dssync.mirror.transaction import Transaction

AS_OF = "s.remote = :remote AND s.run <= :run AND (s.until_run IS NULL OR s.until_run > :run)"

_NEWEST_FIRST = "ORDER BY rtrim(created_at, 'Z') DESC, key"

BATCH = 500
"""How many records are read at once."""


@dataclass(frozen=True, slots=True)
class Past:
    """One record as the server held it; `values` are stored values, `dataset` the key it had then.

    `created_by` is the person's profile as it is now, JSON text, None where nobody is named.
    `broken` marks content that is no longer what the server sent, so that nobody takes it for it.
    """

    kind: KindName
    key: str
    id: str
    values: Values
    created_at: str | None
    updated_at: str | None
    created_by: str | None
    rest: str | None
    absent_since: str | None
    run: int
    broken: bool

    @property
    def live(self) -> bool:
        """Tell whether the server showed it, not deleted."""
        return self.absent_since is None and not self.values["deleted"]


def held(tx: Transaction, remote: str, run: int, kind: KindName) -> Iterator[Past]:
    """Yield the records of a kind that a remote held at the end of a run, newest first.

    The deleted and the absent are among them. Only keys are sorted: whole rows, sorted, would all
    be in memory at once.
    """
    found = tx.exec_driver_sql(
        f"SELECT key FROM {kind}_states AS s WHERE {AS_OF} {_NEWEST_FIRST}",
        {"remote": remote, "run": run},
    )
    yield from among(tx, remote, run, kind, [key for (key,) in found])


def among(
    tx: Transaction, remote: str, run: int, kind: KindName, keys: Sequence[str]
) -> Iterator[Past]:
    """Yield those of these records that a remote held at the end of a run, in batches."""
    fields = ", ".join(_parent() if name == "dataset" else name for name in KINDS[kind].names)
    for start in range(0, len(keys), BATCH):
        # a list of values reaches the indexes below the view, a subquery would not
        named_keys = {f"k{n}": key for n, key in enumerate(keys[start : start + BATCH])}
        rows = tx.exec_driver_sql(
            "SELECT key, id, created_at, updated_at,"
            " (SELECT profile FROM people WHERE people.id = s.created_by), rest, absent_since, run,"
            f" digest, {fields} FROM {kind}_states AS s WHERE {AS_OF}"
            f" AND key IN ({', '.join(f':{name}' for name in named_keys)}) {_NEWEST_FIRST}",
            {"remote": remote, "run": run, **named_keys},
        )
        for key, id, created, updated, by, rest, absent, begun, digest, *values in rows:
            yield Past(
                kind,
                key,
                id,
                dict(zip(KINDS[kind].names, values, strict=True)),
                created,
                updated,
                by,
                rest,
                absent,
                begun,
                broken(bytes.fromhex(digest)),
            )


def unsound(tx: Transaction, remote: str, run: int, kind: KindName) -> list[str]:
    """Return the keys of records held at the end of a run that cannot be trusted.

    They are marked broken, or their history is not as it was sealed.
    """
    names = ", ".join(COLUMNS[kind])
    rows = tx.exec_driver_sql(
        f"SELECT seal, digest, {names}, until_run FROM {KINDS[kind].table}_history AS s"
        f" WHERE {AS_OF} AND digest IS NOT NULL",
        {"remote": remote, "run": run},
    )
    found = {row[0] for seal, digest, *row in rows if seal != digest_of(*row) or broken(digest)}
    marked = tx.exec_driver_sql(
        f"SELECT key FROM {KINDS[kind].table} WHERE remote = :remote AND run <= :run AND NOT {TOLD}"
        f" UNION ALL SELECT key FROM {KINDS[kind].table}_pending WHERE side IN ('theirs', 'gone')"
        f" AND remote = :remote AND run <= :run AND NOT {TOLD}",
        {"remote": remote, "run": run},
    )
    return sorted(found.union(row[0] for row in marked))


def people(tx: Transaction) -> dict[str, str]:
    """Return the id of the person whose profile this is, by profile."""
    rows = tx.exec_driver_sql("SELECT profile, min(id) FROM people GROUP BY profile")
    return {str(profile): str(id) for profile, id in rows}


def _parent() -> str:
    """Write the dataset's key as of then.

    An item whose dataset was lost, and made again, points at what stands for the lost one: then
    the dataset is the one that had its id.
    """
    return (
        f"coalesce((SELECT d.key FROM dataset_states AS d WHERE d.key = s.dataset AND"
        f" {AS_OF.replace('s.', 'd.')}), (SELECT d.key FROM datasets AS now JOIN dataset_states"
        f" AS d ON d.id = now.id WHERE now.key = s.dataset AND {AS_OF.replace('s.', 'd.')}),"
        " s.dataset)"
    )
