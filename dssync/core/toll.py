"""What records cannot take along when they are made again or copied."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from dssync.core.fields import KindName, Values

TRACES = ("trace_id", "event_id")


@dataclass(slots=True)
class Toll:
    """Counts of what is lost.

    `made` are records that get a new id, and with it a new `created_at` and `created_by`; `others`
    are the server's other fields that they had; `traces` are items whose trace stays in another
    project; `fields` are values that the contract has no field for.
    """

    made: Counter[KindName] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)
    traces: int = 0
    fields: Counter[tuple[KindName, str]] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.made or self.fields)

    def make(
        self, kind: KindName, values: Values, others: Collection[str], *, elsewhere: bool
    ) -> None:
        """Count a record that is made; `elsewhere` tells that it is in another project then."""
        self.made[kind] += 1
        self.others.update(others)
        self.traces += elsewhere and any(values.get(name) is not None for name in TRACES)

    def leave(self, kind: KindName, lost: Collection[str]) -> None:
        """Count values that have no field."""
        self.fields.update((kind, name) for name in lost)
