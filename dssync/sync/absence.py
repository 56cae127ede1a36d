"""Conclude which records are gone: brakes first, then proof."""

from collections.abc import Iterator, Sequence

from dssync.core.brakes import Limit, scan_stopped
from dssync.core.fields import KindName
from dssync.errors import Brake
from dssync.mirror import records, theirs
from dssync.mirror.incoming import Inbox
from dssync.posthog import Contract
from dssync.sync.session import Run


def conclude(inbox: Inbox, listed: int, contract: Contract, run: Run, limit: Limit) -> int:
    """Tombstone what a complete scan did not show and a GET does not find; return how many.

    A record the GET finds after all is stored as it is. Raises Brake, and what a GET raises;
    then nothing is tombstoned.
    """
    database = run.mirror.database
    with database.read() as tx:
        candidates = inbox.unseen(tx)
        live = records.rowcount(tx, inbox.remote, inbox.kind)
    if candidates and scan_stopped(listed, len(candidates), live, limit):
        raise Brake(
            f"{len(candidates):,} of {live:,} {inbox.kind}s of {inbox.remote} are no longer"
            " listed, so none of them was taken for deleted",
            hint="check that the project and the key's access are what they were",
        )
    gone = list(_prove(inbox, candidates, contract, run))
    with database.unit(run.number) as tx:
        theirs.tombstone(tx, inbox.kind, gone, run.number, inbox.now)
        theirs.settle_absent(tx, inbox.remote, inbox.kind)
    return len(gone)


def _prove(inbox: Inbox, candidates: Sequence[str], contract: Contract, run: Run) -> Iterator[str]:
    kind: KindName = inbox.kind
    with run.mirror.database.read() as tx:
        ids = {key: records.get(tx, kind, key).id for key in candidates}
    for key, id in ids.items():
        found = contract.read(kind, id) if id else None
        if found is None:
            yield key
            continue
        with run.mirror.database.unit(run.number) as tx:
            inbox.store(tx, [found])
