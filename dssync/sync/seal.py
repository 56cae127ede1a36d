"""Find records that say something else than their digest, and have the next pull replace them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dssync.core.fields import KINDS, ContractName, KindName
from dssync.core.records import Row
from dssync.errors import MirrorDamaged, WrongTarget
from dssync.mirror import Mirror, remotes, seal
from dssync.posthog.wire import row_digest


@dataclass(frozen=True, slots=True)
class Broken:
    """A record whose content nobody edited and the server did not send."""

    kind: KindName
    key: str
    remote: str


def check_seals(mirror: Mirror, names: Sequence[str] = ()) -> tuple[Broken, ...]:
    """Return the records that went past the triggers; reads every untouched record.

    Raises MirrorDamaged where the file itself is broken.
    """
    if found := seal.broken_pages(mirror.path):
        raise MirrorDamaged(f"{mirror.path} is damaged: {found[0]}", hint="restore it from a copy")
    with mirror.database.read() as tx:
        contracts = {remote.name: remote.contract for remote in remotes.known(tx)}
        return tuple(
            Broken(kind, key, remote)
            for kind in KINDS
            for key, remote, row in _unlike(seal.contents(tx, kind, names), contracts)
        )


def _unlike(
    sealed: Iterator[seal.Sealed], contracts: "dict[str, ContractName]"
) -> Iterator[seal.Sealed]:
    for key, remote, row in sealed:
        if remote not in contracts or not _says_its_digest(contracts[remote], row):
            yield key, remote, row


def _says_its_digest(contract: ContractName, row: Row) -> bool:
    try:
        return row_digest(contract, row) == row.digest
    except (WrongTarget, TypeError, ValueError):  # a column that can no longer be read as it was
        return False


def reread(mirror: Mirror, broken: Sequence[Broken]) -> None:
    """Let the next pull replace these records by what the server has."""
    from dssync.mirror.mirror import LOCAL

    with mirror.database.unit(LOCAL) as tx:
        for kind in KINDS:
            seal.mark(tx, kind, [each.key for each in broken if each.kind == kind])
