"""What a sync needs of a server, whichever contract it speaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dssync.core.fields import ContractName, KindName, Values
from dssync.core.records import Reading


@dataclass(frozen=True, slots=True)
class PageResult:
    """One page of a list.

    `count` and `more` (the server names a next page) are hints; `server_date` is the answer's Date
    header as it stands; `size_bytes` is the length of its body.
    """

    readings: list[Reading]
    count: int | None
    more: bool
    server_date: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Written:
    """The answer to a write: an echo of what was sent, not yet what the server stored."""

    echo: Reading
    server_date: str | None
    status: int


@dataclass(frozen=True, slots=True)
class Probe:
    """What one look at a remote told; `team` is None while it holds no record that names it."""

    contract: ContractName
    team: int | None


class Contract(Protocol):
    """One remote, under dssync's own names.

    Ids are the server's. Every method raises Unreachable, ServerTrouble, Throttled, KeyRejected
    and WrongTarget; the writing ones Invalid, NotFound and InvalidRecords, too.
    """

    name: ContractName

    def page(
        self, kind: KindName, offset: int, limit: int, dataset_id: str | None = None
    ) -> PageResult:
        """Return one page of live records in the default order; fewer may be granted.

        Raises ServerTrouble at once where one of them cannot be served, since reading less of the
        list tells more than reading the same again.
        """
        ...

    def read(self, kind: KindName, record_id: str) -> Reading | None:
        """Return one record, or None for 404: deleted, gone, or no longer ours."""
        ...

    def read_many(self, kind: KindName, record_ids: Sequence[str]) -> list[Reading]:
        """Return those of the records that are live, in no promised order.

        Raises ValueError for a kind that the contract cannot ask for by ids.
        """
        ...

    def create(self, kind: KindName, values: Values) -> Written:
        """Create a record of the mirror's values; JSON text goes out as it stands."""
        ...

    def update(self, kind: KindName, record_id: str, values: Values) -> Written:
        """Change these fields and no other; `deleted` is one of them."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...
