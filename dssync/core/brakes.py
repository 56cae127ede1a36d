"""When a loss is too large to be believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dssync.errors import Brake

SHARE = 0.25
FLOOR = 10
FLAG = "--max-delete"


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may vanish: a number of records, or a share of those there are.

    Without either, the limit is the larger of `SHARE` of the records and `FLOOR`. `origin` says who
    set it, for messages.
    """

    count: int | None = None
    share: float | None = None
    origin: str = field(default=FLAG, compare=False)

    def __str__(self) -> str:
        """Say how much it lets through: `25% and more than 10`, `30%`, `20`."""
        if self.count is not None:
            return f"{self.count:,}"
        if self.share is not None:
            return f"{self.share * 100:g}%"
        return f"{SHARE:.0%} and more than {FLOOR}"

    @property
    def standing(self) -> bool:
        """Tell whether it holds for every run, rather than being given for this one."""
        return self == Limit() or self.origin != FLAG

    def allows(self, lost: int, total: int) -> bool:
        """Tell whether `lost` of `total` records may go."""
        if self.count is not None:
            return lost <= self.count
        if self.share is not None:
            return lost <= self.share * total
        return lost <= FLOOR or lost <= SHARE * total

    @classmethod
    def parse(cls, text: str) -> "Limit":
        """Read a number, or a percentage such as `30%`. Raises ValueError."""
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
    lost: Mapping[tuple[str, str], int],
    totals: Mapping[tuple[str, str], int],
    limits: Mapping[str, Limit],
) -> None:
    """Raise Brake when a plan deletes too much of any (remote, kind); `limits` are by remote."""
    stopped = [
        (count, _loss(remote, kind, count, totals[remote, kind], limit))
        for (remote, kind), count in sorted(lost.items())
        if not (limit := limits.get(remote, Limit())).allows(count, totals[remote, kind])
    ]
    if stopped:
        most = max(count for count, _ in stopped)
        raise Brake(
            "\n".join(["too much would be deleted, so nothing was sent", *(s for _, s in stopped)]),
            hint=f"look at `dssync diff`; if it is meant, add --max-delete {most}",
        )


def _loss(remote: str, kind: str, count: int, total: int, limit: Limit) -> str:
    said = f"more than {limit}" if limit == Limit() else f"{limit.origin} allows {limit}"
    return f"{remote}: {count:,} of {total:,} {kind}s; {said}"


def scan_stopped(listed: int, candidates: int, live: int, limit: Limit) -> bool:
    """Tell whether a scan lost too much: past the limit, or everything at once.

    `live` counts the records the mirror held as shown by the server, `candidates` those of them
    that the scan no longer saw, `listed` all rows of the scan. Only a limit given for this one run
    lets everything go at once.
    """
    if limit.standing and live > 0 and listed == 0:
        return True
    return not limit.allows(candidates, live)
