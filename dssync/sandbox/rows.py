"""One stored row, and how the API shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dssync.sandbox.errors import HtmlError
from dssync.sandbox.fields import KINDS, KindName

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A dataset or an item. `columns` holds JSON text by field; `poison` names unreadable ones."""

    kind: KindName
    project: int
    id: str
    columns: Mapping[str, str]
    created_at: datetime
    updated_at: datetime
    created_by: int | None = None
    poison: frozenset[str] = frozenset()

    @property
    def deleted(self) -> bool:
        """Say whether lists hide the row; of the three values of `deleted` only true does."""
        return self.columns["deleted"] == "true"

    @property
    def dataset(self) -> str:
        """Name the dataset an item belongs to."""
        return self.columns["dataset"][1:-1]

    @property
    def place(self) -> tuple[int, str]:
        """Return the sort key of the default order: newest first, then by id."""
        return (-((self.created_at - _EPOCH) // _MICROSECOND), self.id)


def show(row: Row, created_by: str, echoes: Mapping[str, str] | None = None) -> str:
    """Write a row as JSON text; `created_by` is JSON text too.

    `echoes` are fields shown as they were sent, not as they are stored. Raises HtmlError for a
    row that cannot be shown.
    """
    echoes = echoes or {}
    if row.poison - echoes.keys():
        raise HtmlError
    texts = {
        **row.columns,
        **echoes,
        "id": f'"{row.id}"',
        "created_at": f'"{timestamp(row.created_at)}"',
        "updated_at": f'"{timestamp(row.updated_at)}"',
        "created_by": created_by,
        "team": str(row.project),
    }
    shown = KINDS[row.kind].shown
    return "{" + ",".join([f'"{name}":{texts[name]}' for name in shown]) + "}"


def timestamp(moment: datetime) -> str:
    """Write a moment as the API does; the fraction is left out when it is zero."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
