"""List the conflicts, with everything that a person needs to decide them."""

from collections.abc import Sequence

from dssync.core.differ import difference
from dssync.core.fields import KINDS
from dssync.core.plan import Conflicted
from dssync.core.records import Triple
from dssync.core.resolve import Unresolved, other_edits
from dssync.mirror import Mirror, Transaction, touched
from dssync.sync.planner import describer


def unresolved(mirror: Mirror, remotes: Sequence[str] = ()) -> list[Unresolved]:
    """Return the records in conflict, each dataset before its items; reads the mirror only."""
    with mirror.database.read() as tx:
        found = [
            each
            for kind in KINDS
            for triple in touched.triples(tx, kind, remotes)
            if (each := _unresolved(tx, triple))
        ]
    return sorted(found, key=_place)


def still_unresolved(mirror: Mirror, record: Conflicted) -> Unresolved | None:
    """Return what is in conflict in a record now; None when nothing is."""
    with mirror.database.read() as tx:
        triple = touched.triple(tx, record.kind, record.key)
        return _unresolved(tx, triple) if triple else None


def _unresolved(tx: Transaction, triple: Triple) -> Unresolved | None:
    found = difference(triple, describer(tx))
    return Unresolved(found, other_edits(triple)) if isinstance(found, Conflicted) else None


def _place(each: Unresolved) -> tuple[str, str, str, str]:
    record = each.conflicted
    return record.remote, record.where or record.label, record.kind, record.key
