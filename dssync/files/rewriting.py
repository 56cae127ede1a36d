"""Open a record as a page, and take what came back into the mirror: all of it, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from dssync.core.brakes import FLAG, Limit
from dssync.core.fields import ContractName
from dssync.errors import Brake, Overtaken, UsageError
from dssync.files.page import Found, Page, page_text
from dssync.mirror import Mirror, Record, Transaction, edits, records, writing
from dssync.mirror.writing import Overtake


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a page changed in the mirror; `kept` are items that are gone from the page only."""

    edited: tuple[Record, ...] = ()
    made: tuple[Record, ...] = ()
    deleted: tuple[Record, ...] = ()
    kept: tuple[Record, ...] = ()


def open_page(mirror: Mirror, record: Record, *, with_items: bool) -> Page:
    """Return a record's page. Raises UsageError where it cannot be edited that way."""
    if with_items and record.kind == "item":
        raise UsageError(f"{record.key} is an item, and has no items", hint="leave out --items")
    contracts = {remote.name: remote.contract for remote in mirror.remotes()}
    contract: ContractName = contracts[record.remote]
    items = tuple(mirror.items(record.key)) if with_items else None
    with mirror.database.read() as tx:
        _, parent = records.describe(tx, record.kind, record.key, record.values)
    where = f"dataset {parent!r} of {record.remote}" if parent else record.remote
    page = Page(record, items, contract, where)
    return Page(record, items, contract, where, page_text(page))


def take(
    mirror: Mirror, page: Page, found: Found, *, delete_missing: bool, limit: Limit | None
) -> Rewritten:
    """Write what a person changed on a page, in one transaction.

    What changed in the mirror meanwhile stays where both can hold. Raises Overtaken where they
    cannot, UsageError for what the mirror refuses, Brake for too many deletions.
    """
    with mirror.database.edit() as tx:
        overtaken: list[Overtake] = []
        edited, made = [], []
        for each in found.edits:
            if each.record is None:
                key = edits.create(tx, "item", None, each.values)
                made.append(records.get(tx, "item", key))
            else:
                overtaken += writing.write(tx, each.record, each.values)
                edited.append(each.record)
        if overtaken:
            raise Overtaken(
                "\n  ".join(["nothing was changed; while you edited:", *map(str, overtaken)])
            )
        if not delete_missing:
            return Rewritten(tuple(edited), tuple(made), kept=found.missing)
        _delete(tx, found.missing, limit or Limit())
        return Rewritten(tuple(edited), tuple(made), found.missing)


def _delete(tx: Transaction, missing: Sequence[Record], limit: Limit) -> None:
    for record in missing[:1]:
        total = records.rowcount(tx, record.remote, "item")
        if not limit.allows(len(missing), total):
            raise Brake(
                f"{len(missing):,} of {total:,} items of {record.remote} would be deleted;"
                " nothing was changed",
                hint=f"if it is meant, add {FLAG} {len(missing)}",
            )
    for record in missing:
        edits.remove(tx, record.kind, record.key)
