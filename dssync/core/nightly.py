"""What a backup that nobody watches decides: when it starts, what it missed, what is told of it."""

from collections.abc import Collection, Iterator

from dssync.core.receipt import Exit, Trouble

CUT = "…\n"
"""Stands where the beginning of a report is left out."""


def delay(jitter: float, chance: float) -> float:
    """Return how many seconds to wait before the start; `chance` is from 0 to 1."""
    return jitter * chance


def unaccounted(
    remotes: Collection[str], taken: Collection[str], told: Collection[Trouble]
) -> Iterator[Trouble]:
    """Return a trouble for each remote that has neither a snapshot of this run nor a reason.

    So a run that leaves a remote without a snapshot cannot end with 0.
    """
    explained = {trouble.remote for trouble in told}
    for name in remotes:
        if name not in taken and name not in explained:
            message = "this run took no snapshot of it, and does not know why"
            yield Trouble(name, message, Exit.PARTIAL, "dssync pull", "no_snapshot")


def end_of(report: str, most: int) -> str:
    r"""Return the end of a report, whole lines where it can be, in at most so many bytes of UTF-8.

    >>> end_of("first\nsecond\n", 12)
    '…\nsecond\n'
    """
    if len(report.encode("utf-8", "replace")) <= most:
        return report
    room = most - len(CUT.encode())
    tail = report.encode("utf-8", "replace")[-room:].decode("utf-8", "ignore")
    _, broken, lines = tail.partition("\n")
    return CUT + (lines if broken and lines else tail)
