"""When a loss is too large to be believed."""

from collections.abc import Mapping
from dataclasses import dataclass

from dssync.errors import Brake

SHARE = 0.25
FLOOR = 10


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may vanish: a number of records, or a share of those there are.

    Without either, the limit is the larger of `SHARE` of the records and `FLOOR`.
    """

    count: int | None = None
    share: float | None = None

    def allows(self, lost: int, total: int) -> bool:
        """Tell whether `lost` of `total` records may go."""
        if self.count is not None:
            return lost <= self.count
        if self.share is not None:
            return lost <= self.share * total
        return lost <= FLOOR or lost <= SHARE * total

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read `--max-delete`: a number, or a percentage such as `30%`. Raises ValueError."""
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if not 0 <= share <= 1:
                raise ValueError(f"{text} is not between 0% and 100%")
            return cls(share=share)
        count = int(text)
        if count < 0:
            raise ValueError(f"{text} is negative")
        return cls(count=count)


def check_push(
    lost: Mapping[tuple[str, str], int], totals: Mapping[tuple[str, str], int], limit: Limit
) -> None:
    """Raise Brake when a plan deletes too much of any (remote, kind)."""
    for (remote, kind), count in sorted(lost.items()):
        total = totals[remote, kind]
        if not limit.allows(count, total):
            raise Brake(
                f"the plan deletes {count:,} of {total:,} {kind}s of {remote}, "
                "which is more than 25 % and more than 10; nothing was sent"
                if limit == Limit()
                else f"the plan deletes {count:,} of {total:,} {kind}s of {remote}, "
                "more than --max-delete allows; nothing was sent",
                hint=f"look at `dssync diff`; if it is meant, add --max-delete {count}",
            )


def scan_stopped(listed: int, candidates: int, live: int, limit: Limit) -> bool:
    """Tell whether a scan lost too much: past the limit, or everything at once.

    `live` counts the records the mirror held as shown by the server, `candidates` those of them
    that the scan no longer saw, `listed` all rows of the scan.
    """
    if limit == Limit() and live > 0 and listed == 0:
        return True
    return not limit.allows(candidates, live)
