"""Walk one list and store it: the walk decides, this asks and stores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dssync.clock import Clock
from dssync.core.fields import KindName
from dssync.core.records import Reading
from dssync.core.walk import Ask, Walk
from dssync.errors import ServerTrouble, TemporaryError
from dssync.events import PageStored, Report
from dssync.posthog import Contract, PageResult

Store = Callable[[Sequence[Reading]], None]


@dataclass(slots=True)
class Progress:
    """How far a walk has come."""

    rows: int = 0
    pages: int = 0
    trouble: list[TemporaryError] = field(default_factory=list)


def scan(
    walk: Walk,
    contract: Contract,
    kind: KindName,
    store: Store,
    *,
    remote: str,
    clock: Clock,
    report: Report,
) -> Progress:
    """Ask for pages until the walk is done, storing each stretch of rows it accepts.

    A page that stays 5xx, or does not come, is the walk's business; anything else is raised.
    """
    progress = Progress()
    held: dict[Ask, PageResult] = {}
    while not walk.done:
        for ask in walk.asks():
            started = clock.monotonic()
            try:
                page = contract.page(kind, ask.offset, ask.limit)
            except (ServerTrouble, TemporaryError) as error:
                progress.trouble.append(error)
                walk.fail(ask, error)
                continue
            held[ask] = page
            progress.pages += 1
            for accepted in walk.take(ask, page, clock.monotonic() - started):
                rows = held.pop(accepted.ask).readings[accepted.start :]
                store(rows)
                progress.rows += len(rows)
                report(PageStored(remote, kind, progress.rows, progress.pages, page.count))
    return progress
